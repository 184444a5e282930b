package org.panallama.spi;

/** {@code llama_context}: life, settings, computation results, counters. */
public interface ContextCalls {

    /** {@code llama_init_from_model}; 0 on failure. */
    long contextNew(long model, ContextParams params);

    void contextFree(long context);

    int contextLength(long context);

    int contextLengthPerSequence(long context);

    int contextBatch(long context);

    int contextMicroBatch(long context);

    int contextMaxSequences(long context);

    /** {@code llama_pooling_type}. */
    int contextPooling(long context);

    int contextThreads(long context);

    int contextThreadsBatch(long context);

    void contextSetThreads(long context, int threads, int threadsBatch);

    void contextSetEmbeddings(long context, boolean embeddings);

    void contextSetCausalAttention(long context, boolean causal);

    /** {@code llama_synchronize}. */
    void contextSynchronize(long context);

    /** {@code llama_get_logits_ith}: address of one float per vocabulary entry, or 0. */
    long logits(long context, int index);

    /** {@code llama_get_embeddings_ith}: address, or 0. */
    long embeddings(long context, int index);

    /** {@code llama_get_embeddings_seq}: address, or 0. */
    long embeddingsOfSequence(long context, int sequence);

    /** {@code llama_set_adapters_lora}; replaces the adapters in use. 0 on success. */
    int contextSetLora(long context, long[] adapters, float[] scales);

    /** {@code llama_set_adapter_cvec}; an empty array clears the vector. 0 on success. */
    int contextSetControlVector(long context, float[] data, int embedding, int firstLayer, int lastLayer);

    /** {@code llama_perf_context}. */
    PerfData perf(long context);

    void perfReset(long context);
}
