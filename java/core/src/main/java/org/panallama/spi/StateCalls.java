package org.panallama.spi;

/** {@code llama_state_*}, in native memory of the caller. All return the number of bytes, 0 on failure. */
public interface StateCalls {

    long stateSize(long context);

    long stateGet(long context, long address, long size);

    long stateSet(long context, long address, long size);

    long stateSequenceSize(long context, int sequence, int flags);

    long stateSequenceGet(long context, long address, long size, int sequence, int flags);

    long stateSequenceSet(long context, long address, long size, int sequence, int flags);
}
