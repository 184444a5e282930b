package org.panallama.tools.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.panallama.Batch;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.FlashAttention;
import org.panallama.Model;
import org.panallama.Pooling;
import org.panallama.Reranker;
import org.panallama.tools.Progress;

/** Random models of each architecture: llama.cpp's logits of the converted file equal those of a plain forward pass. */
class DecoderConversionTest {

    private static final int[] TOKENS = {3, 250, 77, 12, 120, 9, 3};

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({
        "LlamaForCausalLM, llama, true",
        "MistralForCausalLM, llama, true",
        "MixtralForCausalLM, llama, true",
        "Qwen2ForCausalLM, qwen2, true",
        "Qwen2MoeForCausalLM, qwen2moe, false",
        "Qwen3ForCausalLM, qwen3, true",
        "Qwen3MoeForCausalLM, qwen3moe, true",
        "OlmoeForCausalLM, olmoe, false"
    })
    void logitsEqualThoseOfAPlainForwardPass(String className, String architecture, boolean renormalizes)
            throws IOException {
        RandomCheckpoint checkpoint = RandomDecoder.of(className);
        float[][] expected = new ReferenceDecoder(checkpoint, renormalizes).logits(TOKENS);
        Path file = convert(checkpoint);
        try (Model model = Model.load(file)) {
            assertThat(model.architecture()).isEqualTo(architecture);
        }
        assertClose(ModelRun.logits(file, TOKENS), expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"MixtralForCausalLM", "Qwen3MoeForCausalLM"})
    void theSpellingsOfTransformers5AreRead(String className) throws IOException {
        RandomCheckpoint checkpoint = RandomDecoder.of(className);
        JsonObject config = checkpoint.config();
        JsonObject rope = new JsonObject();
        rope.add("rope_theta", config.remove("rope_theta"));
        rope.addProperty("rope_type", "default");
        config.add("rope_parameters", rope);
        float[][] expected = new ReferenceDecoder(checkpoint, true).logits(TOKENS);
        if (className.startsWith("Mixtral")) {
            checkpoint.fuseExperts("block_sparse_moe", "w1", "w3", "w2");
            for (int layer = 0; layer < 2; layer++) {
                String name = "model.layers." + layer + ".";
                for (String part : new String[] {"gate.weight", "experts.gate_up_proj", "experts.down_proj"}) {
                    checkpoint.rename(name + "block_sparse_moe." + part, name + "mlp." + part);
                }
            }
        } else {
            config.add("num_local_experts", config.remove("num_experts"));
            checkpoint.fuseExperts("mlp", "gate_proj", "up_proj", "down_proj");
        }
        assertClose(ModelRun.logits(convert(checkpoint), TOKENS), expected);
    }

    @Test
    void tiedEmbeddingsAreWrittenOnce() throws IOException {
        RandomCheckpoint checkpoint = RandomDecoder.of("Qwen2ForCausalLM");
        checkpoint.config().addProperty("tie_word_embeddings", true);
        checkpoint.remove("lm_head.weight");
        float[][] expected = new ReferenceDecoder(checkpoint, true).logits(TOKENS);
        assertClose(ModelRun.logits(convert(checkpoint), TOKENS), expected);
    }

    /** The score is how much likelier yes is than no, by the model's own logits. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aQwen3RerankerScoresByItsAnswers(boolean tied) throws IOException {
        RandomCheckpoint checkpoint = RandomDecoder.of("Qwen3ForCausalLM");
        checkpoint.config().addProperty("_name_or_path", "Qwen/Qwen3-Reranker-0.6B");
        checkpoint.config().addProperty("tie_word_embeddings", tied);
        if (tied) {
            checkpoint.remove("lm_head.weight");
        }
        float[] logits = new ReferenceDecoder(checkpoint, true).logits(TOKENS)[TOKENS.length - 1];
        float yes = (float) (1 / (1 + Math.exp(logits[319] - logits[318])));
        Path json = prepare(checkpoint).resolve("tokenizer.json");
        Files.writeString(json, Files.readString(json).replaceFirst("\"vocab\":\\{", "$0\"yes\":318,\"no\":319,"));
        Path file = folder.resolve("reranker.gguf");
        ConversionReport report = Converter.open(
                        json.getParent(),
                        ConversionOptions.builder().type(ConversionType.F32).build())
                .write(file, Progress.NONE);
        assertThat(report.warnings()).singleElement().asString().contains("is a Qwen3-Reranker");
        ContextOptions options = ContextOptions.builder()
                .length(64)
                .threads(1)
                .batchThreads(1)
                .embeddings(true)
                .flashAttention(FlashAttention.OFF)
                .build();
        try (Model model = Model.load(file);
                Context context = model.newContext(options);
                Batch batch = Batch.tokens(TOKENS.length)) {
            assertThat(model.pooling()).isEqualTo(Pooling.RANK);
            assertThat(model.chatTemplate("rerank"))
                    .hasValueSatisfying(template -> assertThat(template)
                            .contains("<Query>: {query}\n<Document>: {document}<|im_end|>")
                            .endsWith("</think>\n\n"));
            Reranker.of(model).close();
            for (int i = 0; i < TOKENS.length; i++) {
                batch.add(TOKENS[i], i, 0, true);
            }
            context.decode(batch);
            assertThat(context.sequenceEmbedding(0).toArray())
                    .containsExactly(new float[] {yes, 1 - yes}, within(2e-3f));
        }
    }

    @Test
    void whatIsMissingOrUnknownIsListed() throws IOException {
        RandomCheckpoint checkpoint = RandomDecoder.of("Qwen3MoeForCausalLM");
        checkpoint.rename("model.layers.1.mlp.experts.2.up_proj.weight", "model.layers.1.mlp.experts.2.upp.weight");
        checkpoint.remove("model.norm.weight");
        Path written = prepare(checkpoint);
        assertThatThrownBy(() -> Converter.open(written, ConversionOptions.defaults()))
                .isInstanceOf(ConversionException.class)
                .hasMessageContaining("missing (2): layers.1.mlp.experts.2.up_proj.weight, norm.weight")
                .hasMessageContaining("unknown (1): layers.1.mlp.experts.2.upp.weight");
    }

    @Test
    void shapesThatContradictTheConfigurationAreNamed() throws IOException {
        RandomCheckpoint checkpoint = RandomDecoder.of("LlamaForCausalLM");
        checkpoint.config().addProperty("vocab_size", 301);
        Path written = prepare(checkpoint);
        assertThatThrownBy(() -> Converter.open(written, ConversionOptions.defaults()))
                .hasMessageContaining("'model.embed_tokens.weight'")
                .hasMessageContaining("[320, 64], by config.json it must be [301, 64] (vocab × hidden)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "rms_norm_eps"})
    void missingKeysAreNamed(String key) throws IOException {
        RandomCheckpoint checkpoint = RandomDecoder.of("LlamaForCausalLM");
        Path written = prepare(checkpoint);
        JsonObject config = checkpoint.config().deepCopy();
        config.remove(key);
        Files.writeString(written.resolve("config.json"), config.toString());
        assertThatThrownBy(() -> Converter.open(written, ConversionOptions.defaults()))
                .isInstanceOf(ConversionException.class)
                .hasMessageContaining("has no " + key);
    }

    private static void assertClose(float[][] logits, float[][] expected) {
        for (int t = 0; t < expected.length; t++) {
            for (int i = 0; i < expected[t].length; i++) {
                assertThat(logits[t][i]).as("token %d, column %d", t, i).isCloseTo(expected[t][i], within(2e-3f));
            }
        }
    }

    private Path convert(RandomCheckpoint checkpoint) throws IOException {
        Path file = folder.resolve("model.gguf");
        Converter.open(
                        prepare(checkpoint),
                        ConversionOptions.builder().type(ConversionType.F32).build())
                .write(file, Progress.NONE);
        return file;
    }

    private Path prepare(RandomCheckpoint checkpoint) throws IOException {
        Path written = checkpoint.write(folder.resolve("checkpoint"));
        SmallTokenizers.byteLevel(written, SmallTokenizers.QWEN2, true);
        return written;
    }
}
