package org.panallama.internal;

import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.panallama.ModelLoadException;

/**
 * Refuses attention tensors that do not fit the numbers and sizes of heads. llama.cpp checks some of them against the
 * embedding's length only, and fails an assertion when it builds the graph.
 */
final class AttentionRules {
    private final GgufFile first;
    private final Map<String, GgufTensor> tensors;
    private final String prefix;

    private AttentionRules(ModelSummary model) {
        this.first = model.file();
        this.prefix = model.architecture() + ".";
        this.tensors = model.tensors().stream().collect(Collectors.toMap(GgufTensor::name, Function.identity()));
    }

    /** Checks the attention of a model whose hyperparameters have been found plausible. */
    static void check(ModelSummary model) {
        if (!model.vocabOnly() && Architectures.hasPlainAttention(model.architecture())) {
            new AttentionRules(model).check();
        }
    }

    private void check() {
        GgufValue heads = first.metadata().get(prefix + "attention.head_count");
        if (heads == null || heads.integer(0) == 0) {
            throw new ModelLoadException(first.path(), "'" + prefix + "attention.head_count' is missing or 0");
        }
        GgufValue groups = first.metadata().getOrDefault(prefix + "attention.head_count_kv", heads);
        long head = integer("embedding_length", 0) / heads.integer(0);
        long keyLength = integer("attention.key_length", head);
        long valueLength = integer("attention.value_length", head);
        requireSame("attention.key_length_swa", keyLength);
        requireSame("attention.value_length_swa", valueLength);
        long layers = integer("block_count", 0) - integer("nextn_predict_layers", 0);
        for (int i = 0; i < layers; i++) {
            long queryHeads = heads.integer(Math.min(i, heads.length() - 1));
            long keyHeads = groups.integer(Math.min(i, groups.length() - 1));
            long queries = keyLength * queryHeads;
            long keys = keyLength * keyHeads;
            long values = valueLength * keyHeads;
            String layer = "blk." + i + ".attn_";
            GgufTensor fused = tensors.get(layer + "qkv.weight");
            if (fused == null) {
                requireSize(layer + "q.weight", tensors.get(layer + "q.weight"), 1, queries);
                requireSize(layer + "k.weight", tensors.get(layer + "k.weight"), 1, keys);
                requireSize(layer + "v.weight", tensors.get(layer + "v.weight"), 1, values);
            } else {
                requireSize(fused.name(), fused, 1, queries + keys + values);
            }
            requireSize(layer + "output.weight", tensors.get(layer + "output.weight"), 0, valueLength * queryHeads);
        }
    }

    private void requireSame(String name, long length) {
        if (integer(name, length) != length) {
            throw new ModelLoadException(
                    first.path(),
                    "metadata key '" + prefix + name + "' is " + integer(name, length) + "; it must be " + length
                            + " as in all layers of this architecture");
        }
    }

    private void requireSize(String name, @Nullable GgufTensor tensor, int dimension, long expected) {
        if (tensor == null) {
            throw new ModelLoadException(first.path(), "tensor '" + name + "' is missing");
        }
        if (tensor.dimension(dimension) != expected) {
            throw new ModelLoadException(
                    first.path(),
                    "tensor '" + name + "' has the shape " + tensor.shape()
                            + "; by the number and length of the attention heads, " + tensor.dimension(dimension)
                            + " should be " + expected);
        }
    }

    private long integer(String name, long otherwise) {
        return first.integer(prefix + name).orElse(otherwise);
    }
}
