package org.panallama.spi;

/** {@code llama_batch} and the computations that take one. */
public interface BatchCalls {

    /**
     * Allocates a batch whose arrays lie where {@link #batchArrays} says.
     *
     * @param capacity largest number of tokens
     * @param embedding 0 for token ids, else the width of the embeddings that replace them
     * @param maxSequences largest number of sequences that one token can belong to
     */
    long batchNew(int capacity, int embedding, int maxSequences);

    void batchFree(long batch);

    /** Views of the arrays, valid until {@link #batchFree}. */
    BatchArrays batchArrays(long batch);

    /** {@code llama_decode} of the first {@code count} tokens; no allocation. Returns llama.cpp's status. */
    int decode(long context, long batch, int count);

    /** {@code llama_encode}, likewise. */
    int encode(long context, long batch, int count);
}
