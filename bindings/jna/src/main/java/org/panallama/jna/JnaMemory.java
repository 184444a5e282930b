package org.panallama.jna;

import static org.panallama.jna.NativeMemory.bool;

import org.panallama.spi.MemoryCalls;
import org.panallama.spi.StateCalls;

abstract class JnaMemory extends JnaBatches implements MemoryCalls, StateCalls {

    @Override
    public long memory(long context) {
        return LlamaFunctions.llama_get_memory(context);
    }

    @Override
    public void memoryClear(long memory, boolean data) {
        LlamaFunctions.llama_memory_clear(memory, bool(data));
    }

    @Override
    public boolean memoryRemove(long memory, int sequence, int from, int to) {
        return LlamaFunctions.llama_memory_seq_rm(memory, sequence, from, to) != 0;
    }

    @Override
    public void memoryCopy(long memory, int source, int target, int from, int to) {
        LlamaFunctions.llama_memory_seq_cp(memory, source, target, from, to);
    }

    @Override
    public void memoryKeep(long memory, int sequence) {
        LlamaFunctions.llama_memory_seq_keep(memory, sequence);
    }

    @Override
    public void memoryAdd(long memory, int sequence, int from, int to, int delta) {
        LlamaFunctions.llama_memory_seq_add(memory, sequence, from, to, delta);
    }

    @Override
    public void memoryDivide(long memory, int sequence, int from, int to, int divisor) {
        LlamaFunctions.llama_memory_seq_div(memory, sequence, from, to, divisor);
    }

    @Override
    public int memoryMinPosition(long memory, int sequence) {
        return LlamaFunctions.llama_memory_seq_pos_min(memory, sequence);
    }

    @Override
    public int memoryMaxPosition(long memory, int sequence) {
        return LlamaFunctions.llama_memory_seq_pos_max(memory, sequence);
    }

    @Override
    public boolean memoryCanShift(long memory) {
        return LlamaFunctions.llama_memory_can_shift(memory) != 0;
    }

    @Override
    public long stateSize(long context) {
        return LlamaFunctions.llama_state_get_size(context);
    }

    @Override
    public long stateGet(long context, long address, long size) {
        return LlamaFunctions.llama_state_get_data(context, address, size);
    }

    @Override
    public long stateSet(long context, long address, long size) {
        return LlamaFunctions.llama_state_set_data(context, address, size);
    }

    @Override
    public long stateSequenceSize(long context, int sequence, int flags) {
        return LlamaFunctions.llama_state_seq_get_size_ext(context, sequence, flags);
    }

    @Override
    public long stateSequenceGet(long context, long address, long size, int sequence, int flags) {
        return LlamaFunctions.llama_state_seq_get_data_ext(context, address, size, sequence, flags);
    }

    @Override
    public long stateSequenceSet(long context, long address, long size, int sequence, int flags) {
        return LlamaFunctions.llama_state_seq_set_data_ext(context, address, size, sequence, flags);
    }
}
