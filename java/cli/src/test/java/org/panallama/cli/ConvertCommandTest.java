package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConvertCommandTest {

    private static final String CHECKPOINT = "../tools/src/test/resources/mixtral-random";

    @TempDir
    Path folder;

    @Test
    void aCheckpointBecomesAFileThatOtherCommandsRead() {
        Path file = folder.resolve("m.gguf");
        Result result =
                Result.of("convert", CHECKPOINT, "-o", file.toString(), "--type", "Q8_0", "--name", "Random One");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out()).isEmpty();
        assertThat(result.err()).contains("wrote " + file + ": llama, ");
        Result info = Result.of("info", "-m", file.toString());
        assertThat(info.out()).contains("Random One", "Q8_0");
    }

    @Test
    void whatCannotBeConvertedIsSaidAndLeavesNothing() throws IOException {
        Path checkpoint = Files.createDirectory(folder.resolve("checkpoint"));
        Path file = folder.resolve("m.gguf");
        Result empty = Result.of("convert", checkpoint.toString(), "-o", file.toString());
        assertThat(empty.status()).isEqualTo(1);
        assertThat(empty.err()).contains("config.json is missing");
        Files.writeString(checkpoint.resolve("config.json"), "{\"architectures\": [\"MambaForCausalLM\"]}");
        Result unknown = Result.of("convert", checkpoint.toString(), "-o", file.toString());
        assertThat(unknown.status()).isEqualTo(1);
        assertThat(unknown.err()).contains("'MambaForCausalLM'", "MixtralForCausalLM");
        Result type = Result.of("convert", CHECKPOINT, "-o", file.toString(), "--type", "q4_k");
        assertThat(type.status()).isEqualTo(2);
        assertThat(type.err()).contains("'q4_k', must be one of f32, f16, bf16, q8_0");
        Result place = Result.of(
                "convert", CHECKPOINT, "-o", folder.resolve("no/m.gguf").toString());
        assertThat(place.status()).isEqualTo(1);
        assertThat(place.err()).contains("does not exist");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(checkpoint);
        }
    }
}
