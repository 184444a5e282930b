package org.panallama.fit;

import org.panallama.TensorType;

/**
 * Memory that a model and one context take, in bytes.
 *
 * @param contextLength tokens
 * @param keys format of the keys in the KV cache
 * @param values format of its values
 * @param microBatch tokens computed at once
 * @param weights the tensors
 * @param kvCache keys and values of all layers
 * @param compute intermediate results, an estimate: see {@link ModelMemory#need}
 */
public record MemoryNeed(
        long contextLength,
        TensorType keys,
        TensorType values,
        int microBatch,
        long weights,
        long kvCache,
        long compute) {

    /** All of it. */
    public long total() {
        return weights + kvCache + compute;
    }
}
