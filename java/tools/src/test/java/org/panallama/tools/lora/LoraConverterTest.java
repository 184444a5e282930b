package org.panallama.tools.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.panallama.LlamaException;
import org.panallama.gguf.GgmlType;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufTensor;
import org.panallama.gguf.GgufValidator;
import org.panallama.tools.Progress;
import org.panallama.tools.convert.ConversionOptions;
import org.panallama.tools.convert.ConversionType;
import org.panallama.tools.convert.ModelRun;

class LoraConverterTest {

    private static final String LAYER = "base_model.model.model.layers.0.";
    private static final String EXPERT = LAYER + "block_sparse_moe.experts.2.w1";
    private static final String EMBEDDING = "base_model.model.model.embed_tokens";
    private static final int[] TOKENS = {1, 17, 902, 4001, 77};

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(ConversionType.class)
    void theFileIsSoundAndSaysWhatItIs(ConversionType type) throws IOException {
        Path file = folder.resolve("lora.gguf");
        LoraConverter.open(
                        Fixture.ADAPTER,
                        Fixture.BASE,
                        ConversionOptions.builder().type(type).name("Random").build())
                .write(file, Progress.NONE);
        assertThat(GgufValidator.check(file)).isEmpty();
        GgufFile adapter = GgufFile.open(file);
        assertThat(adapter.string("general.architecture")).contains("llama");
        assertThat(adapter.string("general.type")).contains("adapter");
        assertThat(adapter.string("general.name")).contains("Random");
        assertThat(adapter.string("adapter.type")).contains("lora");
        assertThat(adapter.number("adapter.lora.alpha")).hasValue(32);
        assertThat(shape(adapter, "blk.1.ffn_gate_exps.weight.lora_a")).containsExactly(256L, 8L, 4L);
        assertThat(shape(adapter, "blk.1.ffn_gate_exps.weight.lora_b")).containsExactly(8L, 256L, 4L);
        assertThat(shape(adapter, "blk.0.ffn_gate_inp.weight.lora_b")).containsExactly(8L, 4L);
        assertThat(shape(adapter, "token_embd.weight.lora_a")).containsExactly(256L, 5120L);
        assertThat(shape(adapter, "output.weight.lora_b")).containsExactly(256L, 5120L);
        assertThat(adapter.tensor("output.weight.lora_b").orElseThrow().ggmlType())
                .isEqualTo(GgmlType.valueOf(type.name()));
        Path model = Fixture.converted(Fixture.BASE, ConversionType.F32, folder.resolve("base.gguf"));
        Fixture.assertMergedRoughly(model, Map.of(file, 1f), type == ConversionType.F32 ? 2e-3f : 0.1f);
    }

    private static List<Long> shape(GgufFile file, String tensor) {
        return file.tensor(tensor).map(GgufTensor::shape).orElseThrow();
    }

    @Test
    void ranksAndAlphasOfModulesCount() throws IOException {
        AlteredAdapter adapter = AlteredAdapter.ofFixture()
                .widen(EXPERT, 16)
                .set("rank_pattern", "{\"experts.2.w1\": 16}")
                .widen("base_model.model.model.layers.1.block_sparse_moe.experts.2.w1", 16)
                .set("alpha_pattern", "{\"layers\\\\.[01]\\\\.block_sparse_moe\\\\.experts\\\\.2\\\\.w1\": 64}");
        assertMergedInEachWay(adapter.write(folder.resolve("adapter")));
    }

    @Test
    void rankStabilizedScalesCount() throws IOException {
        AlteredAdapter adapter = AlteredAdapter.ofFixture()
                .set("use_rslora", "true")
                .set("lora_alpha", Double.toString(4 * Math.sqrt(8)));
        assertMergedInEachWay(adapter.write(folder.resolve("adapter")));
    }

    /** The altered adapter does the same as the fixture's. */
    private void assertMergedInEachWay(Path adapter) throws IOException {
        Path model = Fixture.converted(Fixture.BASE, ConversionType.F32, folder.resolve("base.gguf"));
        Path converted = Fixture.convertedAdapter(adapter, Fixture.BASE, folder.resolve("lora.gguf"));
        Fixture.assertMerged(model, Map.of(converted, 1f));
        Fixture.assertMerged(merged(model, adapter), Map.of());
    }

    private Path merged(Path model, Path adapter) {
        Path merged = folder.resolve("merged.gguf");
        GgufMerger.open(model, List.of(WeightedAdapter.of(adapter)), MergeOptions.defaults())
                .write(merged, Progress.NONE);
        return merged;
    }

    @Test
    void expertsThatAreLeftAloneAndPairsOfTheEmbeddingAreHandled() throws IOException {
        Path adapter = AlteredAdapter.ofFixture()
                .remove("layers.0.block_sparse_moe.experts.2.w1")
                .remove("layers.1.block_sparse_moe.gate")
                .remove("embed_tokens")
                .remove("lm_head")
                .set("modules_to_save", "null")
                .random(EMBEDDING + ".lora_embedding_A", 8, 5120, 1)
                .random(EMBEDDING + ".lora_embedding_B", 256, 8, 2)
                .write(folder.resolve("adapter"));
        Path onlyConfig = Files.createDirectory(folder.resolve("base"));
        Files.copy(Fixture.BASE.resolve("config.json"), onlyConfig.resolve("config.json"));
        Path model = Fixture.converted(Fixture.BASE, ConversionType.F32, folder.resolve("base.gguf"));
        Path converted = Fixture.convertedAdapter(adapter, onlyConfig, folder.resolve("lora.gguf"));
        float[][] running = ModelRun.logits(model, Map.of(converted, 0.5f), TOKENS);
        Path merged = folder.resolve("merged.gguf");
        for (Path form : List.of(adapter, converted)) {
            GgufMerger.open(model, List.of(new WeightedAdapter(form, 0.5f)), MergeOptions.defaults())
                    .write(merged, Progress.NONE);
            float[][] logits = ModelRun.logits(merged, TOKENS);
            for (int i = 0; i < TOKENS.length; i++) {
                assertThat(logits[i]).containsExactly(running[i], within(2e-3f));
            }
        }
    }

    @Test
    void tokensOfAnActivatedLoraAreKept() throws IOException {
        Path adapter = AlteredAdapter.ofFixture()
                .set("alora_invocation_tokens", "[5, 6]")
                .write(folder.resolve("adapter"));
        GgufFile file = GgufFile.open(Fixture.convertedAdapter(adapter, Fixture.BASE, folder.resolve("lora.gguf")));
        assertThat(file.metadata().get("adapter.alora.invocation_tokens").ints())
                .containsExactly(5, 6);
        assertThatThrownBy(() -> CheckpointMerger.open(
                        Fixture.BASE, List.of(WeightedAdapter.of(adapter)), MergeOptions.defaults()))
                .hasMessageContaining("cannot be merged");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            peft_type          | "IA3"             | only "LORA" can be handled
            use_dora           | true              | DoRA
            bias               | "all"             | only those with bias "none"
            lora_bias          | true              | trains biases
            target_parameters  | ["x"]             | which cannot be handled
            r                  | 0                 | must be from 1
            r                  | "eight"           | must be a number
            r                  | 4                 | by adapter_config.json the rank is 4
            r                  | 1.5               | must be an integer
            lora_alpha         | 1e400             | must be 0 or from
            rank_pattern       | {"(": 3}          | no regular expression
            rank_pattern       | {".*.*.*.*.*.*.*!": 3} | which takes too long for the module
            rank_pattern       | {"w1": "3"}       | must be a number
            rank_pattern       | [3]               | must be an object of numbers
            modules_to_save    | "lm_head"         | must be a list
            alpha_pattern      | {"w1": 1e300}     | must be 0 or from
            alora_invocation_tokens | [-1]         | must be a list of tokens' ids
            modules_to_save    | ["score"]         | does not have (1): score
            modules_to_save    | [{}]              | must be a list of modules' names
            """)
    void configurationsThatCannotBeHandledAreNamed(String key, String json, String message) throws IOException {
        refused(AlteredAdapter.ofFixture().set(key, json), message);
    }

    @Test
    void expertsThatAConfigurationClaimsTakeNoMemory() throws IOException {
        Path base = Files.createDirectory(folder.resolve("claims"));
        String config = Files.readString(Fixture.BASE.resolve("config.json"));
        Files.writeString(
                base.resolve("config.json"),
                config.replace("\"num_local_experts\": 4", "\"num_local_experts\": 2147483647"));
        Path adapter = AlteredAdapter.empty(8, 8)
                .random(EXPERT + ".lora_A.weight", 8, 256, 1)
                .random(EXPERT + ".lora_B.weight", 256, 8, 2)
                .write(folder.resolve("few"));

        LoraConverter converter = LoraConverter.open(
                adapter,
                base,
                ConversionOptions.builder().type(ConversionType.F32).build());

        assertThat(converter.tensors().get(0).shape()).containsExactly(256L, 8L, 2147483647L);
        assertThatThrownBy(() -> converter.write(folder.resolve("lora.gguf"), Progress.NONE))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("and the disk has room for");
    }

    @Test
    void tensorsThatDoNotFitAreNamedWithTheirShapes() throws IOException {
        refused(
                AlteredAdapter.ofFixture()
                        .random(LAYER + "self_attn.q_proj.lora_B.weight", 512, 8, 1)
                        .random(LAYER + "self_attn.z_proj.lora_A.weight", 8, 256, 1)
                        .random(LAYER + "self_attn.z_proj.lora_B.weight", 256, 8, 1)
                        .random("base_model.model.model.layers.9.self_attn.q_proj.lora_A.weight", 8, 256, 1)
                        .random("base_model.model.model.layers.9.self_attn.q_proj.lora_B.weight", 256, 8, 1)
                        .random(EMBEDDING + ".weight", 5121, 256, 1),
                "q_proj.weight' is [256, 256] in the base, the adapter is made for [512, 256]",
                "'model.embed_tokens.weight' is [5120, 256] in the base, the adapter is made for [5121, 256]",
                "not in the base (2): model.layers.0.self_attn.z_proj.weight, model.layers.9.self_attn.q_proj.weight");
        refused(
                AlteredAdapter.ofFixture().remove("layers.0.self_attn.q_proj.lora_B"),
                "'model.layers.0.self_attn.q_proj' has no lora_B");
        refused(
                AlteredAdapter.ofFixture().random(LAYER + "self_attn.q_proj.ia3_l", 8, 8, 1),
                "neither halves of low-rank pairs",
                "ia3_l");
        refused(
                AlteredAdapter.ofFixture()
                        .set("modules_to_save", "[\"norm\"]")
                        .put("base_model.model.model.norm.weight", List.of(256L), new float[256]),
                "'model.norm.weight' is no matrix that llama.cpp multiplies",
                "merge it instead");
    }

    @Test
    void anEmbeddingThatIsTheOutputTooCannotBeChangedAtRunTime() throws IOException {
        Path base = Files.createDirectory(folder.resolve("base"));
        String config = Files.readString(Fixture.BASE.resolve("config.json"));
        Files.writeString(
                base.resolve("config.json"),
                config.replace("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true"));
        assertThatThrownBy(() -> LoraConverter.open(Fixture.ADAPTER, base, ConversionOptions.defaults()))
                .isInstanceOf(LoraException.class)
                .hasMessageContaining("'model.embed_tokens.weight' is also the base's output matrix")
                .hasMessageContaining("not in the base (1): lm_head.weight")
                .hasMessageContaining("a model's output matrix is its embedding");
    }

    private void refused(AlteredAdapter altered, String... messages) throws IOException {
        Path adapter = altered.write(folder.resolve("adapter"));
        assertThatThrownBy(() -> LoraConverter.open(adapter, Fixture.BASE, ConversionOptions.defaults()))
                .isInstanceOf(LoraException.class)
                .satisfies(e -> assertThat(e.getMessage()).contains(messages));
    }

    @Test
    void picklesAreRefusedWithTheWayOut() throws IOException {
        Path adapter = Files.createDirectory(folder.resolve("adapter"));
        Files.copy(Fixture.ADAPTER.resolve("adapter_config.json"), adapter.resolve("adapter_config.json"));
        Files.write(adapter.resolve("adapter_model.bin"), new byte[] {1});
        assertThatThrownBy(() -> LoraConverter.open(adapter, Fixture.BASE, ConversionOptions.defaults()))
                .isInstanceOf(LoraException.class)
                .hasMessageContaining("safe_serialization=True");
    }

    @Test
    void aCancelledConversionLeavesNothing() throws IOException {
        LoraConverter converter = LoraConverter.open(Fixture.ADAPTER, Fixture.BASE, ConversionOptions.defaults());
        assertThatThrownBy(() -> converter.write(folder.resolve("lora.gguf"), done -> done < 0.5))
                .isInstanceOf(CancellationException.class);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).isEmpty();
        }
    }
}
