package org.panallama.tools;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.panallama.TensorType;
import org.panallama.gguf.GgufTensor;
import org.panallama.gguf.GgufValue;

/** The tensors and hyperparameters of a model of some shape, as llama.cpp names them. */
final class SynthTensors {

    private final ModelShape shape;
    private final int layers;
    private final TensorType type;
    private final List<GgufTensor> tensors = new ArrayList<>();

    private SynthTensors(ModelShape shape, int layers, TensorType type) {
        this.shape = shape;
        this.layers = layers;
        this.type = type;
    }

    /** Matrices have the type; norms, biases and routers are single precision, as in every quantized model. */
    static List<GgufTensor> of(ModelShape shape, int layers, TensorType type) {
        SynthTensors model = new SynthTensors(shape, layers, type);
        model.addAll();
        return model.tensors;
    }

    static Map<String, GgufValue> hyperparameters(ModelShape shape, int layers) {
        Map<String, GgufValue> values = new LinkedHashMap<>();
        String prefix = shape.architecture() + ".";
        values.put(prefix + "block_count", GgufValue.uint32(layers));
        values.put(prefix + "context_length", GgufValue.uint32(shape.contextLength()));
        values.put(prefix + "vocab_size", GgufValue.uint32(shape.vocabulary()));
        values.put(prefix + "embedding_length", GgufValue.uint32(shape.embedding()));
        values.put(prefix + "feed_forward_length", GgufValue.uint32(shape.feedForward()));
        values.put(prefix + "attention.head_count", GgufValue.uint32(shape.heads()));
        values.put(prefix + "attention.head_count_kv", GgufValue.uint32(shape.kvHeads()));
        values.put(prefix + "attention.key_length", GgufValue.uint32(shape.headSize()));
        values.put(prefix + "attention.value_length", GgufValue.uint32(shape.headSize()));
        values.put(prefix + "attention.layer_norm_rms_epsilon", GgufValue.float32(shape.normEpsilon()));
        values.put(prefix + "rope.dimension_count", GgufValue.uint32(shape.headSize()));
        values.put(prefix + "rope.freq_base", GgufValue.float32(shape.ropeBase()));
        if (shape.experts() > 0) {
            values.put(prefix + "expert_count", GgufValue.uint32(shape.experts()));
            values.put(prefix + "expert_used_count", GgufValue.uint32(shape.expertsUsed()));
            values.put(prefix + "expert_feed_forward_length", GgufValue.uint32(shape.feedForward()));
        }
        if (shape.architecture().equals("gpt-oss")) {
            values.put(prefix + "attention.sliding_window", GgufValue.uint32(128));
            values.put(prefix + "rope.scaling.type", GgufValue.string("yarn"));
            values.put(prefix + "rope.scaling.factor", GgufValue.float32(32));
            values.put(prefix + "rope.scaling.original_context_length", GgufValue.uint32(4096));
        }
        return values;
    }

    private void addAll() {
        matrix("token_embd.weight", shape.embedding(), shape.vocabulary());
        matrix("output.weight", shape.embedding(), shape.vocabulary());
        single("output_norm.weight", shape.embedding());
        for (int layer = 0; layer < layers; layer++) {
            String block = "blk." + layer + ".";
            attention(block);
            if (shape.experts() == 0) {
                dense(block);
            } else {
                experts(block);
            }
        }
    }

    private void attention(String block) {
        long queries = (long) shape.heads() * shape.headSize();
        long keys = (long) shape.kvHeads() * shape.headSize();
        single(block + "attn_norm.weight", shape.embedding());
        matrix(block + "attn_q.weight", shape.embedding(), queries);
        matrix(block + "attn_k.weight", shape.embedding(), keys);
        matrix(block + "attn_v.weight", shape.embedding(), keys);
        matrix(block + "attn_output.weight", queries, shape.embedding());
        if (shape.architecture().equals("qwen3moe")) {
            single(block + "attn_q_norm.weight", shape.headSize());
            single(block + "attn_k_norm.weight", shape.headSize());
        }
        if (shape.architecture().equals("gpt-oss")) {
            single(block + "attn_q.bias", queries);
            single(block + "attn_k.bias", keys);
            single(block + "attn_v.bias", keys);
            single(block + "attn_output.bias", shape.embedding());
            single(block + "attn_sinks.weight", shape.heads());
            single(block + "post_attention_norm.weight", shape.embedding());
        } else {
            single(block + "ffn_norm.weight", shape.embedding());
        }
    }

    private void dense(String block) {
        matrix(block + "ffn_gate.weight", shape.embedding(), shape.feedForward());
        matrix(block + "ffn_up.weight", shape.embedding(), shape.feedForward());
        matrix(block + "ffn_down.weight", shape.feedForward(), shape.embedding());
    }

    private void experts(String block) {
        single(block + "ffn_gate_inp.weight", shape.embedding(), shape.experts());
        matrix(block + "ffn_gate_exps.weight", shape.embedding(), shape.feedForward(), shape.experts());
        matrix(block + "ffn_up_exps.weight", shape.embedding(), shape.feedForward(), shape.experts());
        matrix(block + "ffn_down_exps.weight", shape.feedForward(), shape.embedding(), shape.experts());
        if (shape.architecture().equals("gpt-oss")) {
            single(block + "ffn_gate_inp.bias", shape.experts());
            single(block + "ffn_gate_exps.bias", shape.feedForward(), shape.experts());
            single(block + "ffn_up_exps.bias", shape.feedForward(), shape.experts());
            single(block + "ffn_down_exps.bias", shape.embedding(), shape.experts());
        }
    }

    private void single(String name, long... dimensions) {
        add(name, TensorType.F32, boxed(dimensions));
    }

    private void matrix(String name, long... dimensions) {
        if (dimensions[0] % type.blockSize() != 0) {
            throw new IllegalArgumentException(
                    "type " + type + " has blocks of " + type.blockSize() + ", but " + name + " of " + shape.name()
                            + " has rows of " + dimensions[0] + "; choose a type with smaller blocks, like Q8_0");
        }
        add(name, type, boxed(dimensions));
    }

    private void add(String name, TensorType tensorType, List<Long> dimensions) {
        long elements = dimensions.stream().reduce(1L, Math::multiplyExact);
        tensors.add(new GgufTensor(name, tensorType.id(), dimensions, tensorType.bytes(elements)));
    }

    private static List<Long> boxed(long[] values) {
        return Arrays.stream(values).boxed().toList();
    }
}
