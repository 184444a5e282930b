package org.panallama.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.panallama.ModelLoadException;
import org.panallama.TensorType;
import org.panallama.spi.MetadataParam;
import org.panallama.tiny.TinyModel;

class GgufPreflightTest {
    @TempDir
    Path directory;

    @Test
    void acceptsTheTinyModel() {
        ModelSummary summary = GgufPreflight.check(TinyModel.path());

        assertThat(summary.architecture()).isEqualTo("llama");
        assertThat(summary.tokenizer()).isEqualTo("llama");
        assertThat(summary.tensors()).hasSize(63);
        assertThat(summary.vocabOnly()).isFalse();
        assertThat(summary.file().integer("llama.expert_count")).hasValue(8);
        assertThat(summary.file().size() - summary.file().dataOffset()).isEqualTo(summary.tensorBytes());
    }

    @Test
    void acceptsASmallModelOfEitherVersion() {
        assertThat(check(SmallModel.writer()).tensors()).hasSize(11);
        assertThat(check(SmallModel.writer().version(2)).file().version()).isEqualTo(2);
    }

    @Test
    void refusesExpertsApartWithTheWayOut() {
        assertRefused(
                writer -> writer.tensor("blk.0.ffn_gate.0.weight", TensorType.Q8_0, 32, 32),
                "'blk.0.ffn_gate.0.weight' is a single expert",
                "'panallama gguf stack-experts'");
    }

    @Test
    void knowsAVocabularyAlone() {
        assertThat(check(SmallModel.vocabulary()).vocabOnly()).isTrue();
    }

    @Test
    void refusesWhatIsNoFile() throws IOException {
        assertThatThrownBy(() -> GgufPreflight.check(directory.resolve("gone.gguf")))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("gone.gguf: no such file");
        assertThatThrownBy(() -> GgufPreflight.check(directory)).hasMessageContaining("is a directory");
        assertRefused(new byte[0], "the file is empty");
    }

    @Test
    void saysWhatAForeignFileIs() throws IOException {
        Map<String, String> formats = Map.ofEntries(
                Map.entry("version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
                Map.entry("\n<!DOCTYPE html><html>", "web page"),
                Map.entry("tjgg\1\0\0\0", "'ggjt'"),
                Map.entry("PK\3\4....", "ZIP archive"),
                Map.entry("\u0080\2}q\0", "Python pickle"),
                Map.entry("x\0\0\0\0\0\0\0{\"__metadata__\"", "safetensors"),
                Map.entry("\u001f\u008b\b", "compressed"),
                Map.entry("{\"a\": 1}", "JSON"),
                Map.entry("\0\0\0\0\0\0", "zeros"),
                Map.entry("FUGG", "big-endian"),
                Map.entry("abcd", "61 62 63 64"));
        for (Map.Entry<String, String> format : formats.entrySet()) {
            assertRefused(format.getKey().getBytes(StandardCharsets.ISO_8859_1), format.getValue());
        }
    }

    @Test
    void refusesOtherVersions() throws IOException {
        assertRefused(SmallModel.writer().version(1).toBytes(), "version 1 is no longer supported");
        assertRefused(SmallModel.writer().version(4).toBytes(), "version 4 is not supported");
        assertRefused(SmallModel.writer().version(3 << 24).toBytes(), "big-endian");
    }

    @Test
    void everyCutIsRefusedAndLocated() throws IOException {
        byte[] whole = SmallModel.writer().toBytes();
        for (int length = 4; length < whole.length; length += length < 800 ? 1 : 97) {
            assertRefused(Arrays.copyOf(whole, length), "the file is cut off in its ");
        }
        assertRefused(Arrays.copyOf(whole, 10), "cut off in its header");
        assertRefused(Arrays.copyOf(whole, 60), "cut off in its metadata (value of 'general.architecture')");
        int header = SmallModel.writer().header().length;
        assertRefused(Arrays.copyOf(whole, header - 40), "cut off in its list of tensors");
        assertRefused(Arrays.copyOf(whole, header + 100), "cut off in its data: tensor 'token_embd.weight'");
        assertRefused(Arrays.copyOf(whole, whole.length - 7), "7 bytes are missing");
    }

    @ParameterizedTest
    @CsvSource({"llamma,llama", "mixtral,mistral", "qwen3-moe,qwen3moe"})
    void namesTheNearestArchitectures(String wrong, String nearest) {
        assertRefused(
                w -> w.put("general.architecture", wrong), "does not know the architecture '" + wrong + "'", nearest);
    }

    @Test
    void refusesWhatIsNoLanguageModel() {
        assertRefused(w -> w.put("general.type", "adapter"), "LoRA adapter");
        assertRefused(w -> w.put("general.architecture", "clip"), "mmproj");
        assertRefused(w -> w.remove("general.architecture"), "general.architecture is missing");
    }

    @Test
    void refusesDamagedMetadata() {
        assertRefused(w -> w.entries().add(w.entries().get(0)), "'general.architecture' appears twice");
        assertRefused(w -> w.put(new GgufWriter.Entry("k", 13, new byte[8])), "'k' has the unknown type 13");
        assertRefused(
                w -> w.put(GgufWriter.array("k", GgufType.ARRAY, 1, new byte[8])),
                "elements of the unsupported type 9");
        assertRefused(
                w -> w.put(GgufWriter.array("k", GgufType.UINT8, 1L << 60, new byte[8])),
                "'k' claims an array of 1152921504606846976 elements");
        assertRefused(w -> w.put("", 1), "has an empty name");
        assertRefused(w -> w.put("a\0b", 1), "NUL byte");
        assertRefused(w -> w.put("general.name", "a\0b"), "'general.name' holds a NUL character");
        assertRefused(w -> w.put("general.alignment", 33), "general.alignment is 33, not a power of two");
        assertRefused(w -> w.put("general.alignment", 16), "llama.cpp needs at least 32");
        assertRefused(w -> w.put("general.alignment", 0), "general.alignment is 0");
        assertRefused(w -> w.put("general.alignment", "32"), "must be a UINT32");
    }

    @Test
    void refusesDamagedTensors() {
        assertRefused(w -> w.tensors().add(w.tensors().get(0)), "tensor 'token_embd.weight' appears twice");
        assertRefused(w -> info(w, 1, List.of(32L), 0, 5), "said to begin at offset 16581");
        assertRefused(w -> info(w, 1, List.of(-1L), 0, 0), "a dimension that is not positive");
        assertRefused(w -> info(w, 1, List.of(1L << 40, 1L << 40), 0, 0), "more elements than can be counted");
        assertRefused(w -> info(w, 1, List.of(1L, 1L, 1L, 1L, 1L), 0, 0), "claims 5 dimensions");
        assertRefused(w -> info(w, 1, List.of(33L), 2, 0), "rows of 33 elements");
        assertRefused(w -> info(w, 1, List.of(32L), 4, 0), "Q4_2");
        assertRefused(w -> info(w, 1, List.of(32L), 99, 0), "unknown tensor type 99");
        assertRefused(w -> w.tensor("x".repeat(64), TensorType.F32, 1), "takes 64 bytes");
    }

    @Test
    void refusesTensorTypesThatOperatorsLack() {
        assertRefused(w -> w.tensor("blk.0.attn_q.bias", TensorType.F16, 32), "'blk.0.attn_q.bias' is stored as F16");
        assertRefused(w -> w.tensor("rope_freqs.weight", TensorType.F16, 8), "only F32");
        assertRefused(w -> w.tensor("blk.0.attn_q_norm.weight", TensorType.F16, 8, 1), "only F32");
        assertThat(check(SmallModel.writer().tensor("cls.output.weight", TensorType.F16, 32, 1))
                        .tensors())
                .hasSize(12);
        assertRefused(w -> w.tensor("x.weight", TensorType.I32, 8, 8), "is stored as I32");
        assertRefused(w -> w.tensor("x.weight", TensorType.Q8_K, 256, 8), "is stored as Q8_K");
        assertRefused(
                w -> w.tensor("x.weight", TensorType.NVFP4, 64, 64)
                        .tensor("x.scale", TensorType.F32, 1)
                        .tensor("x.bias", TensorType.F32, 64),
                "together with a bias");
    }

    @ParameterizedTest
    @CsvSource({
        "block_count, 0, from 1 to 512",
        "block_count, 513, from 1 to 512",
        "context_length, 0, from 1 to 2147483647",
        "embedding_length, -1, from 1 to 2147483647",
        "attention.head_count, 0, at least 1",
        "attention.head_count_kv, 0, at least 1",
        "attention.head_count_kv, 3, a divisor of the 2 attention heads",
        "attention.key_length, 0, from 1",
        "attention.value_length, 8, the length of the keys",
        "rope.dimension_count, 8, the length of a head",
        "rope.scaling.original_context_length, 0, from 1",
        "expert_count, 1025, from 0 to 1024",
        "expert_count, 8, at least 1",
        "expert_used_count, 1, from 0 to 0",
        "expert_group_count, 2, it must be 0",
        "nextn_predict_layers, 1, it must be 0",
        "pooling_type, 9, from 0 to 4",
    })
    void refusesHyperparameters(String key, int value, String message) {
        assertRefused(
                w -> w.put("llama." + key, value), "'llama." + key.replaceAll("^expert_count$", "expert_"), message);
    }

    @Test
    void refusesNumbersThatAreNone() {
        for (float number : new float[] {0, -1, Float.NaN, Float.POSITIVE_INFINITY}) {
            assertRefused(w -> w.put("llama.rope.freq_base", number), "'llama.rope.freq_base' is ");
            assertRefused(w -> w.put("llama.attention.layer_norm_rms_epsilon", number), "layer_norm_rms_epsilon' is ");
        }
        assertRefused(w -> w.put("llama.rope.scaling.factor", Float.NaN), "a finite number");
        assertRefused(w -> w.put("llama.rope.scaling.type", "ntk"), "one of none, linear, yarn, longrope");
        assertRefused(w -> w.put("llama.attention.head_count", 2f), "a UINT32, or an array");
        assertRefused(w -> w.remove("llama.block_count"), "'llama.block_count' is missing");
    }

    @Test
    void refusesAttentionThatDoesNotFitItsHeads() {
        assertRefused(
                w -> w.put("llama.attention.head_count_kv", 2),
                "'blk.0.attn_k.weight' has the shape [32, 16]",
                "should be 32");
        assertRefused(w -> w.put("llama.attention.key_length_swa", 8), "'llama.attention.key_length_swa' is 8");
        GgufWriter writer = SmallModel.vocabulary();
        SmallModel.writer().entries().forEach(writer::put);
        writer.tensor("blk.0.attn_q.weight", TensorType.F16, 32, 32);
        assertThatThrownBy(() -> check(writer)).hasMessageContaining("'blk.0.attn_k.weight' is missing");
    }

    @Test
    void refusesSlidingWindowsThatNoLayerHas() {
        assertRefused(
                w -> w.put("llama.attention.sliding_window", 64).put("llama.attention.sliding_window_pattern", 1),
                "without sliding layers");
    }

    @Test
    void refusesVocabularies() {
        assertRefused(w -> w.remove("tokenizer.ggml.model"), "'tokenizer.ggml.model' is missing");
        assertRefused(w -> w.put("tokenizer.ggml.model", "word2vec"), "'word2vec'");
        assertRefused(w -> w.remove("tokenizer.ggml.tokens"), "tokens is missing");
        assertRefused(w -> w.put("tokenizer.ggml.tokens", List.of()), "holds 0 tokens");
        assertRefused(w -> w.put("tokenizer.ggml.tokens", List.of("a", "b\0c", "b")), "tokens 1 and 2");
        assertRefused(w -> w.put("tokenizer.ggml.tokens", List.of("[EMPTY_1]", "")), "tokens 0 and 1");
        assertRefused(w -> w.put("tokenizer.ggml.tokens", List.of("<unk>", "<s>", "</s>")), "no token for the byte");
        assertRefused(w -> w.put("tokenizer.ggml.scores", 0f, 1f), "has 2 elements for 259 tokens");
        assertRefused(w -> w.put("tokenizer.ggml.token_type", 1, 2), "has 2 elements for 259 tokens");
        assertRefused(w -> w.put("tokenizer.ggml.token_type", 0f), "not an array of INT32");
        float[] scores = new float[259];
        scores[7] = Float.NaN;
        assertRefused(w -> w.put("tokenizer.ggml.scores", scores), "the score of token 7 is NaN");
    }

    @Test
    void refusesAddedTokensThatDoNotExist() {
        assertRefused(w -> w.put("tokenizer.ggml.model", "bert"), "marked as a byte");
        assertRefused(
                w -> w.put("tokenizer.ggml.model", "gemma4").remove("tokenizer.ggml.token_type"),
                "every text shall get a BOS token");
    }

    @Test
    void refusesAnRwkvVocabularyThatLoopsForEver() {
        assertRefused(
                w -> w.put("tokenizer.ggml.model", "rwkv")
                        .remove("tokenizer.ggml.scores")
                        .remove("tokenizer.ggml.token_type")
                        .put("tokenizer.ggml.tokens", List.of("\\n\\n", "a")),
                "begin with the byte 10");
    }

    @Test
    void refusesACharsmapThatLeadsOutside() {
        byte[] map = new byte[4 + 1024 + 2];
        map[1] = 4;
        Consumer<GgufWriter> unigram = w -> w.put("tokenizer.ggml.model", "t5")
                .put(GgufWriter.array("tokenizer.ggml.precompiled_charsmap", GgufType.UINT8, map.length, map));
        unigram.andThen(w -> assertThat(check(w)).isNotNull()).accept(SmallModel.writer());
        map[4 + 2] = 0x7F;
        assertRefused(unigram, "leads outside of itself");
    }

    @Test
    void checksOverriddenMetadata() {
        Path file = SmallModel.writer().write(directory.resolve("model.gguf"));
        List<MetadataParam> sound = List.of(new MetadataParam("llama.context_length", 0, 64, 0, false, ""));
        assertThat(GgufPreflight.check(List.of(file), sound).file().integer("llama.context_length"))
                .hasValue(64);
        for (MetadataParam override : List.of(
                new MetadataParam("llama.expert_used_count", 0, 9, 0, false, ""),
                new MetadataParam("llama.rope.freq_base", 1, 0, Double.NaN, false, ""),
                new MetadataParam("tokenizer.ggml.add_sep_token", 2, 0, 0, true, ""),
                new MetadataParam("llama.rope.scaling.type", 3, 0, 0, false, "ntk"),
                new MetadataParam("split.count", 0, 2, 0, false, ""))) {
            assertThatThrownBy(() -> GgufPreflight.check(List.of(file), List.of(override)))
                    .isInstanceOf(ModelLoadException.class);
        }
    }

    @Test
    void findsThePartsOfASplitModel() throws IOException {
        Path first = part(0, 2).write(directory.resolve("m-00001-of-00002.gguf"));
        Path second = directory.resolve("m-00002-of-00002.gguf");
        assertThatThrownBy(() -> GgufPreflight.check(first))
                .hasMessageContaining("are missing beside it: m-00002-of-00002.gguf");

        part(1, 2).write(second);
        assertThat(GgufPreflight.check(first).parts()).hasSize(2);
        ModelSummary fromSecond = GgufPreflight.check(second);
        assertThat(fromSecond.file().path()).isEqualTo(first);
        assertThat(fromSecond.startedFromLaterPart()).isTrue();

        Path renamed = Files.copy(first, directory.resolve("model.gguf"));
        assertThat(GgufPreflight.check(List.of(renamed, second), List.of()).paths())
                .containsExactly(renamed, second);
        assertThatThrownBy(() -> GgufPreflight.check(renamed)).hasMessageContaining("'-00001-of-00002.gguf'");
        part(0, 2).write(second);
        assertThatThrownBy(() -> GgufPreflight.check(first))
                .hasMessageContaining("says part 1 of 2, but it is given as part 2");
        part(1, 2).tensor("y.weight", TensorType.F32, 1).write(second);
        assertThatThrownBy(() -> GgufPreflight.check(first)).hasMessageContaining("do not belong together");
        part(1, 2).put("split.no", 1).write(second);
        assertThatThrownBy(() -> GgufPreflight.check(first)).hasMessageContaining("split.no must be a UINT16");
    }

    private static GgufWriter part(int number, int count) {
        GgufWriter writer = number == 0 ? SmallModel.writer() : new GgufWriter().tensor("x.weight", TensorType.F32, 1);
        return writer.putShort("split.no", number)
                .putShort("split.count", count)
                .put("split.tensors.count", 12);
    }

    private static void info(GgufWriter writer, int index, List<Long> shape, int type, long offset) {
        GgufWriter.Info old = writer.tensors().get(index);
        writer.tensors().set(index, new GgufWriter.Info(old.name(), shape, type, old.offset() + offset));
    }

    private ModelSummary check(GgufWriter writer) {
        return GgufPreflight.check(writer.write(directory.resolve("model.gguf")));
    }

    private void assertRefused(Consumer<GgufWriter> damage, String... message) {
        GgufWriter writer = SmallModel.writer();
        damage.accept(writer);
        assertThatThrownBy(() -> check(writer))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContainingAll(message);
    }

    private void assertRefused(byte[] file, String message) throws IOException {
        Path path = Files.write(directory.resolve("bytes.gguf"), file);
        assertThatThrownBy(() -> GgufPreflight.check(path))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining(message)
                .extracting(e -> ((ModelLoadException) e).file())
                .isEqualTo(path);
    }
}
