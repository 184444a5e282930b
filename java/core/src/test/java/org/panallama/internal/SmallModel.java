package org.panallama.internal;

import java.util.ArrayList;
import java.util.List;
import org.panallama.TensorType;

/** The smallest Llama that the checks accept: one layer, 259 tokens. */
final class SmallModel {
    private SmallModel() {}

    static GgufWriter writer() {
        GgufWriter writer = vocabulary()
                .put("llama.block_count", 1)
                .put("llama.context_length", 128)
                .put("llama.embedding_length", 32)
                .put("llama.feed_forward_length", 32)
                .put("llama.attention.head_count", 2)
                .put("llama.attention.head_count_kv", 1)
                .put("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        return writer.tensor("token_embd.weight", TensorType.F16, 32, 259)
                .tensor("output_norm.weight", TensorType.F32, 32)
                .tensor("blk.0.attn_norm.weight", TensorType.F32, 32)
                .tensor("blk.0.attn_q.weight", TensorType.Q8_0, 32, 32)
                .tensor("blk.0.attn_k.weight", TensorType.Q8_0, 32, 16)
                .tensor("blk.0.attn_v.weight", TensorType.Q8_0, 32, 16)
                .tensor("blk.0.attn_output.weight", TensorType.Q8_0, 32, 32)
                .tensor("blk.0.ffn_norm.weight", TensorType.F32, 32)
                .tensor("blk.0.ffn_gate.weight", TensorType.Q8_0, 32, 32)
                .tensor("blk.0.ffn_up.weight", TensorType.Q8_0, 32, 32)
                .tensor("blk.0.ffn_down.weight", TensorType.Q8_0, 32, 32);
    }

    static GgufWriter vocabulary() {
        List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
        int[] types = new int[259];
        for (int i = 0; i < 256; i++) {
            tokens.add(String.format("<0x%02X>", i));
            types[i + 3] = 6;
        }
        types[0] = 2;
        types[1] = 3;
        types[2] = 3;
        return new GgufWriter()
                .put("general.architecture", "llama")
                .put("tokenizer.ggml.model", "llama")
                .put("tokenizer.ggml.tokens", tokens)
                .put("tokenizer.ggml.scores", new float[259])
                .put("tokenizer.ggml.token_type", types);
    }
}
