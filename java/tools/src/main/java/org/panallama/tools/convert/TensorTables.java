package org.panallama.tools.convert;

import static org.panallama.tools.convert.TensorRule.Trait.ANSWERS;
import static org.panallama.tools.convert.TensorRule.Trait.NEEDED;
import static org.panallama.tools.convert.TensorRule.Trait.OPTIONAL;
import static org.panallama.tools.convert.TensorRule.Trait.OUTPUT;
import static org.panallama.tools.convert.TensorRule.Trait.POSITIONS;
import static org.panallama.tools.convert.TensorRule.Trait.ROTARY_K;
import static org.panallama.tools.convert.TensorRule.Trait.ROTARY_Q;

import java.util.ArrayList;
import java.util.List;
import org.panallama.tools.convert.TensorRule.Trait;

/**
 * Names in checkpoints (without the prefix {@code model.} or {@code bert.}) and in GGUF files, architecture by
 * architecture.
 */
final class TensorTables {

    private static final String A = "layers.{l}.self_attn.";
    private static final String M = "layers.{l}.mlp.";
    private static final String X = "layers.{l}.block_sparse_moe.";
    private static final String B = "encoder.layer.{l}.";
    private static final String D = "transformer.layer.{l}.";

    private static final List<TensorRule> EMBEDDING =
            List.of(TensorRule.of("token_embd.weight", "vocab,hidden", NEEDED, "embed_tokens.weight"));

    private static final TensorRule OUTPUT_NORM = TensorRule.of("output_norm.weight", "hidden", NEEDED, "norm.weight");

    private static final List<TensorRule> HEAD =
            List.of(OUTPUT_NORM, TensorRule.of("output.weight", "vocab,hidden", OUTPUT, "lm_head.weight"));

    private static final List<TensorRule> FEED_FORWARD = List.of(
            layer("ffn_gate.weight", "ff,hidden", NEEDED, M + "gate_proj.weight"),
            layer("ffn_up.weight", "ff,hidden", NEEDED, M + "up_proj.weight"),
            layer("ffn_down.weight", "hidden,ff", NEEDED, M + "down_proj.weight"),
            layer("ffn_gate.bias", "ff", OPTIONAL, M + "gate_proj.bias"),
            layer("ffn_up.bias", "ff", OPTIONAL, M + "up_proj.bias"),
            layer("ffn_down.bias", "hidden", OPTIONAL, M + "down_proj.bias"));

    private static final List<TensorRule> EXPERTS = List.of(
            layer("ffn_gate_inp.weight", "experts,hidden", NEEDED, M + "gate.weight", X + "gate.weight"),
            layer(
                    "ffn_gate_exps.weight",
                    "experts,expert_ff,hidden",
                    NEEDED,
                    M + "experts.{e}.gate_proj.weight",
                    X + "experts.{e}.w1.weight",
                    M + "experts.gate_up_proj#1/2",
                    X + "experts.gate_up_proj#1/2"),
            layer(
                    "ffn_up_exps.weight",
                    "experts,expert_ff,hidden",
                    NEEDED,
                    M + "experts.{e}.up_proj.weight",
                    X + "experts.{e}.w3.weight",
                    M + "experts.gate_up_proj#2/2",
                    X + "experts.gate_up_proj#2/2"),
            layer(
                    "ffn_down_exps.weight",
                    "experts,hidden,expert_ff",
                    NEEDED,
                    M + "experts.{e}.down_proj.weight",
                    X + "experts.{e}.w2.weight",
                    M + "experts.down_proj",
                    X + "experts.down_proj"));

    private static final List<TensorRule> SHARED_EXPERT = List.of(
            layer("ffn_gate_inp_shexp.weight", "1,hidden", NEEDED, M + "shared_expert_gate.weight"),
            layer("ffn_gate_shexp.weight", "shared_ff,hidden", NEEDED, M + "shared_expert.gate_proj.weight"),
            layer("ffn_up_shexp.weight", "shared_ff,hidden", NEEDED, M + "shared_expert.up_proj.weight"),
            layer("ffn_down_shexp.weight", "hidden,shared_ff", NEEDED, M + "shared_expert.down_proj.weight"));

    private static final List<TensorRule> HEAD_NORMS = List.of(
            layer("attn_q_norm.weight", "head", NEEDED, A + "q_norm.weight"),
            layer("attn_k_norm.weight", "head", NEEDED, A + "k_norm.weight"));

    private static final List<TensorRule> WHOLE_NORMS = List.of(
            layer("attn_q_norm.weight", "q", NEEDED, A + "q_norm.weight"),
            layer("attn_k_norm.weight", "kv", NEEDED, A + "k_norm.weight"));

    /** llama.cpp rotates neighbouring elements here, Transformers the two halves of a head. */
    static final List<TensorRule> LLAMA = join(EMBEDDING, attention(ROTARY_Q, ROTARY_K), FEED_FORWARD, HEAD);

    static final List<TensorRule> MIXTRAL = join(EMBEDDING, attention(ROTARY_Q, ROTARY_K), EXPERTS, HEAD);

    static final List<TensorRule> QWEN2 = join(EMBEDDING, attention(NEEDED, NEEDED), FEED_FORWARD, HEAD);

    static final List<TensorRule> QWEN2_MOE = join(EMBEDDING, attention(NEEDED, NEEDED), EXPERTS, SHARED_EXPERT, HEAD);

    static final List<TensorRule> QWEN3 = join(EMBEDDING, attention(NEEDED, NEEDED), HEAD_NORMS, FEED_FORWARD, HEAD);

    /** Of a tied output matrix, the embedding has the rows. */
    static final List<TensorRule> QWEN3_RERANKER = join(
            EMBEDDING,
            attention(NEEDED, NEEDED),
            HEAD_NORMS,
            FEED_FORWARD,
            List.of(
                    OUTPUT_NORM,
                    TensorRule.of(
                            "cls.output.weight", "answers,hidden", ANSWERS, "lm_head.weight", "embed_tokens.weight")));

    static final List<TensorRule> QWEN3_MOE = join(EMBEDDING, attention(NEEDED, NEEDED), HEAD_NORMS, EXPERTS, HEAD);

    static final List<TensorRule> OLMOE = join(EMBEDDING, attention(NEEDED, NEEDED), WHOLE_NORMS, EXPERTS, HEAD);

    private static final List<TensorRule> ENCODER_EMBEDDING = join(
            List.of(
                    TensorRule.of("token_embd.weight", "vocab,hidden", NEEDED, "embeddings.word_embeddings.weight"),
                    TensorRule.of(
                            "position_embd.weight",
                            "positions,hidden",
                            POSITIONS,
                            "embeddings.position_embeddings.weight"),
                    TensorRule.of(
                            "token_types.weight", "types,hidden", OPTIONAL, "embeddings.token_type_embeddings.weight")),
            norm("token_embd_norm", "embeddings.LayerNorm"));

    static final List<TensorRule> BERT = join(
            ENCODER_EMBEDDING,
            linear("blk.{l}.attn_q", "hidden", "hidden", B + "attention.self.query"),
            linear("blk.{l}.attn_k", "hidden", "hidden", B + "attention.self.key"),
            linear("blk.{l}.attn_v", "hidden", "hidden", B + "attention.self.value"),
            linear("blk.{l}.attn_output", "hidden", "hidden", B + "attention.output.dense"),
            norm("blk.{l}.attn_output_norm", B + "attention.output.LayerNorm"),
            linear("blk.{l}.ffn_up", "ff", "hidden", B + "intermediate.dense"),
            linear("blk.{l}.ffn_down", "hidden", "ff", B + "output.dense"),
            norm("blk.{l}.layer_output_norm", B + "output.LayerNorm"));

    static final List<TensorRule> DISTILBERT = join(
            ENCODER_EMBEDDING,
            linear("blk.{l}.attn_q", "hidden", "hidden", D + "attention.q_lin"),
            linear("blk.{l}.attn_k", "hidden", "hidden", D + "attention.k_lin"),
            linear("blk.{l}.attn_v", "hidden", "hidden", D + "attention.v_lin"),
            linear("blk.{l}.attn_output", "hidden", "hidden", D + "attention.out_lin"),
            norm("blk.{l}.attn_output_norm", D + "sa_layer_norm"),
            linear("blk.{l}.ffn_up", "ff", "hidden", D + "ffn.lin1"),
            linear("blk.{l}.ffn_down", "hidden", "ff", D + "ffn.lin2"),
            norm("blk.{l}.layer_output_norm", D + "output_layer_norm"));

    /** llama.cpp computes the classes from the first vector: a matrix, tanh, and the matrix of the outputs. */
    static final List<TensorRule> BERT_CLASSIFIER = join(
            BERT,
            linear("cls", "hidden", "hidden", "pooler.dense"),
            linear("cls.output", "labels", "hidden", "classifier"));

    static final List<TensorRule> ROBERTA_CLASSIFIER = join(
            BERT,
            linear("cls", "hidden", "hidden", "classifier.dense"),
            linear("cls.output", "labels", "hidden", "classifier.out_proj"));

    private TensorTables() {}

    private static List<TensorRule> attention(Trait q, Trait k) {
        return List.of(
                layer("attn_norm.weight", "hidden", NEEDED, "layers.{l}.input_layernorm.weight"),
                layer("attn_q.weight", "q,hidden", q, A + "q_proj.weight"),
                layer("attn_k.weight", "kv,hidden", k, A + "k_proj.weight"),
                layer("attn_v.weight", "kv,hidden", NEEDED, A + "v_proj.weight"),
                layer("attn_output.weight", "hidden,q", NEEDED, A + "o_proj.weight"),
                layer("attn_q.bias", "q", q == NEEDED ? OPTIONAL : q, A + "q_proj.bias"),
                layer("attn_k.bias", "kv", k == NEEDED ? OPTIONAL : k, A + "k_proj.bias"),
                layer("attn_v.bias", "kv", OPTIONAL, A + "v_proj.bias"),
                layer("attn_output.bias", "hidden", OPTIONAL, A + "o_proj.bias"),
                layer("ffn_norm.weight", "hidden", NEEDED, "layers.{l}.post_attention_layernorm.weight"));
    }

    private static TensorRule layer(String target, String shape, Trait trait, String... sources) {
        return TensorRule.of("blk.{l}." + target, shape, trait, sources);
    }

    private static List<TensorRule> linear(String target, String rows, String columns, String source) {
        return List.of(
                TensorRule.of(target + ".weight", rows + "," + columns, NEEDED, source + ".weight"),
                TensorRule.of(target + ".bias", rows, NEEDED, source + ".bias"));
    }

    /** Checkpoints that came from TensorFlow call weight and bias gamma and beta. */
    private static List<TensorRule> norm(String target, String source) {
        return List.of(
                TensorRule.of(target + ".weight", "hidden", NEEDED, source + ".weight", source + ".gamma"),
                TensorRule.of(target + ".bias", "hidden", NEEDED, source + ".bias", source + ".beta"));
    }

    @SafeVarargs
    private static List<TensorRule> join(List<TensorRule>... parts) {
        List<TensorRule> all = new ArrayList<>();
        for (List<TensorRule> part : parts) {
            all.addAll(part);
        }
        return List.copyOf(all);
    }
}
