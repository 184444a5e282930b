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

/** Names of models. */
class ModelIdTest {

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "Mixtral-8x7B-Instruct-v0.1, , Mixtral, Instruct, v0.1, 8x7B",
        "mistralai/Mixtral-8x7B-v0.1, mistralai, Mixtral, , v0.1, 8x7B",
        "chinese-mixtral-instruct, , chinese-mixtral, instruct, , ",
        "hfl/chinese-mixtral, hfl, , , , ",
        "bge-small-zh-v1.5, , bge-small-zh, , v1.5, ",
        "Qwen/Qwen3-30B-A3B-Instruct-2507, Qwen, Qwen3, Instruct, 2507, 30B-A3B",
        "Llama-3.2-1B-Instruct, , Llama-3.2, Instruct, , 1B",
        "Qwen1.5-MoE-A2.7B, , Qwen1.5-MoE, , , A2.7B",
        "OLMoE-1B-7B-0924, , OLMoE, , 0924, 1B-7B",
        "Yarn-Llama-2-7b-128k, , Yarn-Llama-2, 128k, , 7B",
        "Phi-3-mini-4k-instruct, , Phi-3-mini-4k, instruct, , ",
        "Mistral-7B-Instruct-v0.3-Q4_K_M, , Mistral, Instruct, v0.3, 7B",
        "Mixtral-8x22B-chat-zh-bf16, , Mixtral, chat-zh, , 8x22B",
        "all-MiniLM-L6-v2, , all-MiniLM-L6, , v2, ",
        "Some-Model-q4_0, , , , , ",
        "./local-7b, , local, , , 7B",
        "7B, , , , , ",
        "v2, , , , , ",
        "-, , , , , ",
        "My Model 7B, , , , , "
    })
    void tellTheirParts(
            String id, String organization, String basename, String finetune, String version, String sizeLabel) {
        String name = id.substring(id.indexOf('/') + 1);
        assertThat(ModelId.of(id)).isEqualTo(new ModelId(name, organization, basename, finetune, version, sizeLabel));
    }

    @Test
    void ofAnyLengthAreReadAtOnce() {
        String name = "a-7B" + "-1".repeat(1_000_000) + "!";
        assertThat(ModelId.of(name)).isEqualTo(new ModelId(name, null, null, null, null, null));
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
