package org.panallama.cli;

import org.panallama.KvCacheSize;

/**
 * Memory that a model and a context take.
 *
 * @param context tokens
 * @param kvTypes formats of the KV cache
 * @param weights bytes
 * @param kvCache bytes
 * @param compute bytes, an estimate
 */
record MemoryNeed(long context, KvTypes kvTypes, long weights, long kvCache, long compute) {

    private static final long MICRO_BATCH = 512; // llama.cpp's default, and ours

    static MemoryNeed of(ModelFacts model, long context, KvTypes kvTypes) {
        return new MemoryNeed(
                context, kvTypes, model.weightBytes(), kvBytes(model, context, kvTypes), computeBytes(model));
    }

    long total() {
        return weights + kvCache + compute;
    }

    /** The longest context, in tokens, that fits in a given memory; 0 if none does. */
    static long longestContext(ModelFacts model, KvTypes kvTypes, long available) {
        long trained = model.number("context_length");
        long step = kvBytes(model, 256, kvTypes);
        long room = available - model.weightBytes() - computeBytes(model);
        if (room < step || step == 0) {
            return 0;
        }
        return Math.min(trained, room / step * 256);
    }

    private static long kvBytes(ModelFacts model, long context, KvTypes kvTypes) {
        return KvCacheSize.bytes(model.scalars(), context, kvTypes.keys(), kvTypes.values());
    }

    /**
     * The buffer for intermediate results with flash attention: what is alive at the widest point of the graph, which is the
     * logits, or the up and gate projections of the experts used, in F32 for a micro-batch of tokens. llama.cpp reserves
     * 11.0 MiB for the tiny model, which is this to the byte.
     */
    private static long computeBytes(ModelFacts model) {
        long hidden = model.number("embedding_length");
        long experts = Math.max(1, model.number("expert_used_count"));
        long width = Math.max(model.number("expert_feed_forward_length"), model.number("feed_forward_length"));
        long feedForward = experts * (2 * width + hidden);
        return MICRO_BATCH * (Math.max(model.vocabSize(), feedForward) + 2 * hidden) * Float.BYTES;
    }
}
