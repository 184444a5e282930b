package org.panallama.tools.convert;

import com.google.gson.JsonObject;

/** Random models of two layers in each architecture, as Transformers names their tensors. */
final class RandomDecoder {

    private RandomDecoder() {}

    static RandomCheckpoint of(String className) {
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
