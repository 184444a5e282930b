package org.panallama.spi;

/** {@code llama_memory_*}: the KV cache or recurrent state of a context. Ranges are half open; negative ends are unbounded. */
public interface MemoryCalls {

    /** {@code llama_get_memory}; 0 if the context has none (encoders). */
    long memory(long context);

    void memoryClear(long memory, boolean data);

    boolean memoryRemove(long memory, int sequence, int from, int to);

    void memoryCopy(long memory, int source, int target, int from, int to);

    void memoryKeep(long memory, int sequence);

    void memoryAdd(long memory, int sequence, int from, int to, int delta);

    void memoryDivide(long memory, int sequence, int from, int to, int divisor);

    /** -1 if the sequence is empty. */
    int memoryMinPosition(long memory, int sequence);

    /** -1 if the sequence is empty. */
    int memoryMaxPosition(long memory, int sequence);

    boolean memoryCanShift(long memory);
}
