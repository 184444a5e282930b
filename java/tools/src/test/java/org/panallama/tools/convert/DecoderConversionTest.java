package org.panallama.tools.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.panallama.Model;
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
        RandomCheckpoint checkpoint = checkpoint(className);
        float[][] expected = new ReferenceDecoder(checkpoint, renormalizes).logits(TOKENS);
        Path file = convert(checkpoint);
        try (Model model = Model.load(file)) {
            assertThat(model.architecture()).isEqualTo(architecture);
        }
        assertClose(ModelRun.logits(file, TOKENS), expected);
    }

    @Test
    void llama3StretchesFrequencies() throws IOException {
        RandomCheckpoint checkpoint = checkpoint("LlamaForCausalLM");
        checkpoint
                .config()
                .add(
                        "rope_scaling",
                        JsonParser.parseString("{\"rope_type\": \"llama3\", \"factor\": 8.0, \"low_freq_factor\": 1.0,"
                                + " \"high_freq_factor\": 4.0, \"original_max_position_embeddings\": 32}"));
        float[][] expected = new ReferenceDecoder(checkpoint, true).logits(TOKENS);
        assertClose(ModelRun.logits(convert(checkpoint), TOKENS), expected);
    }

    @ParameterizedTest
    @ValueSource(strings = {"MixtralForCausalLM", "Qwen3MoeForCausalLM"})
    void theSpellingsOfTransformers5AreRead(String className) throws IOException {
        RandomCheckpoint checkpoint = checkpoint(className);
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
        RandomCheckpoint checkpoint = checkpoint("Qwen2ForCausalLM");
        checkpoint.config().addProperty("tie_word_embeddings", true);
        checkpoint.remove("lm_head.weight");
        float[][] expected = new ReferenceDecoder(checkpoint, true).logits(TOKENS);
        assertClose(ModelRun.logits(convert(checkpoint), TOKENS), expected);
    }

    @Test
    void whatIsMissingOrUnknownIsListed() throws IOException {
        RandomCheckpoint checkpoint = checkpoint("Qwen3MoeForCausalLM");
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
        RandomCheckpoint checkpoint = checkpoint("LlamaForCausalLM");
        checkpoint.config().addProperty("vocab_size", 301);
        Path written = prepare(checkpoint);
        assertThatThrownBy(() -> Converter.open(written, ConversionOptions.defaults()))
                .hasMessageContaining("'model.embed_tokens.weight'")
                .hasMessageContaining("[320, 64], by config.json it must be [301, 64] (vocab × hidden)");
    }

    @ParameterizedTest
    @ValueSource(strings = {"hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "rms_norm_eps"})
    void missingKeysAreNamed(String key) throws IOException {
        RandomCheckpoint checkpoint = checkpoint("LlamaForCausalLM");
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

    private static RandomCheckpoint checkpoint(String className) {
        boolean moe = className.contains("Mo") || className.startsWith("Mixtral") || className.startsWith("Olmoe");
        boolean mixtral = className.startsWith("Mixtral");
        boolean qwen3 = className.startsWith("Qwen3");
        RandomCheckpoint checkpoint = new RandomCheckpoint(
                className.hashCode(),
                "{\"architectures\": [\"" + className + "\"], \"hidden_size\": 64, \"num_hidden_layers\": 2,"
                        + " \"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"intermediate_size\": 96,"
                        + " \"vocab_size\": 320, \"max_position_embeddings\": 256, \"rms_norm_eps\": 1e-5,"
                        + " \"rope_theta\": 10000.0, \"eos_token_id\": [3, 4], \"torch_dtype\": \"float32\"}");
        JsonObject config = checkpoint.config();
        if (qwen3) {
            config.addProperty("head_dim", 32);
        }
        if (className.startsWith("Olmoe")) {
            config.addProperty("num_key_value_heads", 4); // as many as heads: llama.cpp knows no others
        }
        if (moe) {
            config.addProperty(mixtral ? "num_local_experts" : "num_experts", 4);
            config.addProperty("num_experts_per_tok", 2);
        }
        if (className.contains("Moe") && className.startsWith("Qwen")) {
            config.addProperty("moe_intermediate_size", 32);
        }
        if (className.startsWith("Qwen2Moe")) {
            config.addProperty("shared_expert_intermediate_size", 160);
        }
        addTensors(checkpoint, className, qwen3 ? 32 : 16, moe);
        return checkpoint;
    }

    private static void addTensors(RandomCheckpoint checkpoint, String className, int head, boolean moe) {
        checkpoint.add("model.embed_tokens.weight", 320, 64);
        for (int layer = 0; layer < 2; layer++) {
            String name = "model.layers." + layer + ".";
            checkpoint.add(name + "input_layernorm.weight", 64);
            checkpoint.add(name + "post_attention_layernorm.weight", 64);
            checkpoint.add(name + "self_attn.q_proj.weight", 4 * head, 64);
            int keys = checkpoint.size("num_key_value_heads") * head;
            checkpoint.add(name + "self_attn.k_proj.weight", keys, 64);
            checkpoint.add(name + "self_attn.v_proj.weight", keys, 64);
            checkpoint.add(name + "self_attn.o_proj.weight", 64, 4 * head);
            if (className.startsWith("Qwen2")) {
                checkpoint.add(name + "self_attn.q_proj.bias", 4 * head);
                checkpoint.add(name + "self_attn.k_proj.bias", keys);
                checkpoint.add(name + "self_attn.v_proj.bias", keys);
            }
            if (className.startsWith("Qwen3")) {
                checkpoint.add(name + "self_attn.q_norm.weight", head);
                checkpoint.add(name + "self_attn.k_norm.weight", head);
            }
            if (className.startsWith("Olmoe")) {
                checkpoint.add(name + "self_attn.q_norm.weight", 4 * head);
                checkpoint.add(name + "self_attn.k_norm.weight", keys);
            }
            addFeedForward(checkpoint, className, name, moe);
        }
        checkpoint.add("model.norm.weight", 64);
        checkpoint.add("lm_head.weight", 320, 64);
    }

    private static void addFeedForward(RandomCheckpoint checkpoint, String className, String layer, boolean moe) {
        if (!moe) {
            checkpoint.add(layer + "mlp.gate_proj.weight", 96, 64);
            checkpoint.add(layer + "mlp.up_proj.weight", 96, 64);
            checkpoint.add(layer + "mlp.down_proj.weight", 64, 96);
            return;
        }
        boolean mixtral = className.startsWith("Mixtral");
        String name = layer + (mixtral ? "block_sparse_moe." : "mlp.");
        long ff = className.startsWith("Qwen") ? 32 : 96;
        checkpoint.add(name + "gate.weight", 4, 64);
        for (int expert = 0; expert < 4; expert++) {
            String one = name + "experts." + expert + ".";
            checkpoint.add(one + (mixtral ? "w1" : "gate_proj") + ".weight", ff, 64);
            checkpoint.add(one + (mixtral ? "w3" : "up_proj") + ".weight", ff, 64);
            checkpoint.add(one + (mixtral ? "w2" : "down_proj") + ".weight", 64, ff);
        }
        if (className.startsWith("Qwen2Moe")) {
            checkpoint.add(name + "shared_expert_gate.weight", 1, 64);
            checkpoint.add(name + "shared_expert.gate_proj.weight", 160, 64);
            checkpoint.add(name + "shared_expert.up_proj.weight", 160, 64);
            checkpoint.add(name + "shared_expert.down_proj.weight", 64, 160);
        }
    }
}
