package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoraCommandTest {

    private static final String BASE = "../tools/src/test/resources/mixtral-random";
    private static final String ADAPTER = "../tools/src/test/resources/mixtral-random-lora";
    private static final String[] GREEDY = {
        "generate", "-t", "1", "-p", "床前明月光", "--temp", "0", "-n", "8", "--ignore-eos"
    };

    @TempDir
    Path folder;

    private Path model;

    @BeforeEach
    void convertBase() {
        model = folder.resolve("base.gguf");
        run("convert", BASE, "-o", model.toString(), "--type", "f32");
    }

    @Test
    void anAdapterAtRunTimeSaysWhatTheMergedModelSays() {
        Path adapter = folder.resolve("lora.gguf");
        assertThat(run("lora", "convert", ADAPTER, "--base", BASE, "-o", adapter.toString())
                        .err())
                .contains("wrote " + adapter + ": 36 tensors for llama");
        Path merged = folder.resolve("merged.gguf");
        assertThat(run("lora", "merge", "--base", model.toString(), "--lora", ADAPTER, "-o", merged.toString())
                        .err())
                .contains("wrote " + merged + ": 18 of ");
        Path half = folder.resolve("half.gguf");
        run("lora", "merge", "--base", model.toString(), "--lora", adapter + ":0.5", "-o", half.toString());
        String base = generate(model);
        assertThat(generate(model, "--lora", adapter.toString()))
                .isEqualTo(generate(merged))
                .isNotEqualTo(base);
        assertThat(generate(model, "--lora", adapter + ":0.5")).isEqualTo(generate(half));
        assertThat(generate(model, "--lora", adapter + ":0")).isEqualTo(base);
    }

    @Test
    void everyCommandHasExamples() {
        for (String command : new String[] {"convert", "merge"}) {
            assertThat(run("lora", command, "--help").out())
                    .contains("Usage: panallama lora " + command, "Examples:", "--base");
        }
        assertThat(run("lora", "--help").out()).contains("convert", "merge", "Examples:");
    }

    @Test
    void checkpointsAreMergedToo() {
        Path merged = folder.resolve("merged");
        Result result = run("lora", "merge", "--base", BASE, "--lora", ADAPTER + ":0.5", "-o", merged.toString());
        assertThat(result.err()).contains("36 of 41 tensors changed");
        assertThat(result.out()).isEmpty();
        run("convert", merged.toString(), "-o", folder.resolve("merged.gguf").toString());
    }

    @Test
    void whatDoesNotFitIsSaidAndLeavesNothing() throws IOException {
        Path output = folder.resolve("out");
        assertThat(failed(2, "lora", "merge", "--base", BASE, "--lora", ADAPTER + ":much", "-o", output.toString()))
                .contains("the weight 'much' is not a number");
        assertThat(failed(
                        2,
                        "lora",
                        "merge",
                        "--base",
                        BASE,
                        "--lora",
                        ADAPTER,
                        "-o",
                        output.toString(),
                        "--type",
                        "q8_0"))
                .contains("type is Q8_0");
        assertThat(failed(1, "lora", "merge", "--base", BASE, "--lora", BASE, "-o", output.toString()))
                .contains("has no adapter_config.json");
        assertThat(failed(1, "lora", "convert", "nowhere", "--base", BASE, "-o", output.toString()))
                .contains("nowhere is no folder");
        assertThat(failed(2, "lora")).contains("a command is missing");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(model);
        }
    }

    private static String generate(Path file, String... more) {
        return run(Stream.of(GREEDY, new String[] {"-m", file.toString()}, more)
                        .flatMap(Stream::of)
                        .toArray(String[]::new))
                .out();
    }

    private static Result run(String... args) {
        Result result = Result.of(args);
        assertThat(result.status()).as(result.err()).isZero();
        return result;
    }

    private static String failed(int status, String... args) {
        Result result = Result.of(args);
        assertThat(result.status()).as(result.err()).isEqualTo(status);
        assertThat(result.out()).isEmpty();
        return result.err();
    }
}
