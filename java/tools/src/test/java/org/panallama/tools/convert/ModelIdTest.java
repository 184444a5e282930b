package org.panallama.tools.convert;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.panallama.gguf.GgufType;

/** Names of models: what llama.cpp's own converter makes of the same ones. */
class ModelIdTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "Mixtral-8x7B-Instruct-v0.1, 46.7e9, , Mixtral, Instruct, v0.1, 8x7B",
        "mistralai/Mixtral-8x7B-v0.1, 46.7e9, mistralai, Mixtral, , v0.1, 8x7B",
        "chinese-mixtral-instruct, 46.7e9, , chinese-mixtral, instruct, , ",
        "hfl/chinese-mixtral, 46.7e9, hfl, , , , ",
        "bge-small-zh-v1.5, 24e6, , bge, zh, v1.5, small",
        "Qwen/Qwen3-30B-A3B-Instruct-2507, 30.5e9, Qwen, Qwen3, Instruct, 2507, 30B-A3B",
        "Llama-3.2-1B-Instruct, 1.23e9, , Llama-3.2, Instruct, , 1B",
        "Qwen1.5-MoE-A2.7B, 14.3e9, , Qwen1.5-MoE, , , A2.7B",
        "OLMoE-1B-7B-0924, 6.9e9, , OLMoE, , 0924, 1B-7B",
        "Yarn-Llama-2-7b-128k, 6.7e9, , Yarn-Llama-2, 128k, , 7B",
        "bloom-7b1, 7e9, , bloom, , , 7.1B",
        "Qwen2-0_5B, 494e6, , Qwen2, , , 0.5B",
        "Phi-3-mini-4k-instruct, 3.8e9, , Phi-3, 4k-instruct, , mini",
        "all-MiniLM-L6-v2, 22e6, , all-MiniLM-L6, , v2, ",
        "Some-Model-q4_0, 5, , , , , ",
        "./local-7b, 7e9, , local, , , 7B",
        "v2, 1, , , , v2, ",
        "foo-32x-1.5b1, 1, , foo, 32x, , 1.5.1B",
        "My Model 7B, 7e9, , , , , "
    })
    void tellTheirParts(
            String id,
            double parameters,
            String organization,
            String basename,
            String finetune,
            String version,
            String sizeLabel) {
        ModelId parts = ModelId.of(id, (long) parameters);
        assertThat(parts.name()).isEqualTo(id.substring(id.indexOf('/') + 1));
        assertThat(parts.organization()).isEqualTo(organization);
        assertThat(parts.basename()).isEqualTo(basename);
        assertThat(parts.finetune()).isEqualTo(finetune);
        assertThat(parts.version()).isEqualTo(version);
        assertThat(parts.sizeLabel()).isEqualTo(sizeLabel);
    }

    /** The card counts before the id in the configuration, and that before the folder's name. */
    @Test
    void standInTheFileUnlessTheCardSaysOtherwise() throws IOException {
        Path checkpoint = folder.resolve("Mixtral-8x7B-Instruct-v0.1");
        SmallCheckpoints.all(folder);
        Files.move(folder.resolve("byte-level"), checkpoint);
        Files.delete(checkpoint.resolve("README.md"));
        assertThat(general(checkpoint))
                .containsEntry("general.name", "Mixtral 8x7B Instruct v0.1")
                .containsEntry("general.basename", "Mixtral")
                .containsEntry("general.finetune", "Instruct")
                .containsEntry("general.version", "v0.1")
                .containsEntry("general.size_label", "8x7B")
                .doesNotContainKey("general.organization");

        Files.writeString(
                checkpoint.resolve("README.md"),
                "---\nmodel_creator: me\nfinetune: poems\nbase_model: mistralai/Mixtral-8x7B-v0.1\ndoi: 10.1/2\n---\n");
        Path config = checkpoint.resolve("config.json");
        Files.writeString(
                config, Files.readString(config).replaceFirst("\\{", "{\"_name_or_path\": \"mistralai/Mixtral-v9\", "));
        assertThat(general(checkpoint))
                .containsEntry("general.name", "Mixtral v9")
                .containsEntry("general.author", "me")
                .containsEntry("general.finetune", "poems")
                .containsEntry("general.version", "v9")
                .containsEntry("general.organization", "Mistralai")
                .containsEntry("general.size_label", "8x7B")
                .containsEntry("general.source.doi", "10.1/2")
                .containsEntry("general.base_model.0.version", "v0.1")
                .containsEntry("general.base_model.0.organization", "Mistralai")
                .containsEntry("general.base_model.0.repo_url", "https://huggingface.co/mistralai/Mixtral-8x7B-v0.1");
    }

    private static Map<String, String> general(Path checkpoint) {
        return Converter.open(checkpoint, ConversionOptions.defaults()).metadata().entrySet().stream()
                .filter(entry -> entry.getValue().type() == GgufType.STRING)
                .collect(Collectors.toMap(
                        Map.Entry::getKey, entry -> entry.getValue().string()));
    }
}
