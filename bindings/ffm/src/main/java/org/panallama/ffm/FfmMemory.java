package org.panallama.ffm;

import static org.panallama.ffm.NativeMemory.pointer;

import org.panallama.ffm.generated.llama_h;
import org.panallama.spi.MemoryCalls;
import org.panallama.spi.StateCalls;

abstract class FfmMemory extends FfmBatches implements MemoryCalls, StateCalls {

    @Override
    public long memory(long context) {
        return llama_h.llama_get_memory(pointer(context)).address();
    }

    @Override
    public void memoryClear(long memory, boolean data) {
        llama_h.llama_memory_clear(pointer(memory), data);
    }

    @Override
    public boolean memoryRemove(long memory, int sequence, int from, int to) {
        return TokenFunctions.memoryRemove(memory, sequence, from, to);
    }

    @Override
    public void memoryCopy(long memory, int source, int target, int from, int to) {
        TokenFunctions.memoryCopy(memory, source, target, from, to);
    }

    @Override
    public void memoryKeep(long memory, int sequence) {
        TokenFunctions.memoryKeep(memory, sequence);
    }

    @Override
    public void memoryAdd(long memory, int sequence, int from, int to, int delta) {
        TokenFunctions.memoryAdd(memory, sequence, from, to, delta);
    }

    @Override
    public void memoryDivide(long memory, int sequence, int from, int to, int divisor) {
        llama_h.llama_memory_seq_div(pointer(memory), sequence, from, to, divisor);
    }

    @Override
    public int memoryMinPosition(long memory, int sequence) {
        return TokenFunctions.memoryMinPosition(memory, sequence);
    }

    @Override
    public int memoryMaxPosition(long memory, int sequence) {
        return TokenFunctions.memoryMaxPosition(memory, sequence);
    }

    @Override
    public boolean memoryCanShift(long memory) {
        return llama_h.llama_memory_can_shift(pointer(memory));
    }

    @Override
    public long stateSize(long context) {
        return llama_h.llama_state_get_size(pointer(context));
    }

    @Override
    public long stateGet(long context, long address, long size) {
        return llama_h.llama_state_get_data(pointer(context), pointer(address), size);
    }

    @Override
    public long stateSet(long context, long address, long size) {
        return llama_h.llama_state_set_data(pointer(context), pointer(address), size);
    }

    @Override
    public long stateSequenceSize(long context, int sequence, int flags) {
        return llama_h.llama_state_seq_get_size_ext(pointer(context), sequence, flags);
    }

    @Override
    public long stateSequenceGet(long context, long address, long size, int sequence, int flags) {
        return llama_h.llama_state_seq_get_data_ext(pointer(context), pointer(address), size, sequence, flags);
    }

    @Override
    public long stateSequenceSet(long context, long address, long size, int sequence, int flags) {
        return llama_h.llama_state_seq_set_data_ext(pointer(context), pointer(address), size, sequence, flags);
    }
}
