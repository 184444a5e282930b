package org.panallama.ffm;

import static org.panallama.ffm.NativeMemory.ALL;

import java.lang.foreign.ValueLayout;
import org.panallama.ffm.generated.llama_token_data;
import org.panallama.ffm.generated.llama_token_data_array;
import org.panallama.spi.SamplerCalls;

/** The array of candidates: one block that starts with {@code llama_token_data_array}, and then has the entries. */
abstract class FfmCandidates extends FfmMemory implements SamplerCalls {

    private static final long DATA = llama_token_data_array.data$offset();
    private static final long SIZE = llama_token_data_array.size$offset();
    private static final long SELECTED = llama_token_data_array.selected$offset();
    private static final long SORTED = llama_token_data_array.sorted$offset();
    private static final long ENTRIES = llama_token_data_array.sizeof();

    @Override
    public long candidatesNew(int capacity) {
        long candidates = allocate(ENTRIES + capacity * llama_token_data.sizeof());
        candidatesReset(candidates, 0);
        return candidates;
    }

    @Override
    public void candidatesFree(long candidates) {
        free(candidates);
    }

    @Override
    public void candidatesReset(long candidates, int size) {
        ALL.set(ValueLayout.JAVA_LONG, candidates + DATA, candidates + ENTRIES);
        candidatesSetSize(candidates, size);
        candidatesSetSelected(candidates, -1);
        candidatesSetSorted(candidates, false);
    }

    @Override
    public long candidatesData(long candidates) {
        return ALL.get(ValueLayout.JAVA_LONG, candidates + DATA);
    }

    @Override
    public long candidatesSize(long candidates) {
        return ALL.get(ValueLayout.JAVA_LONG, candidates + SIZE);
    }

    @Override
    public void candidatesSetSize(long candidates, long size) {
        ALL.set(ValueLayout.JAVA_LONG, candidates + SIZE, size);
    }

    @Override
    public long candidatesSelected(long candidates) {
        return ALL.get(ValueLayout.JAVA_LONG, candidates + SELECTED);
    }

    @Override
    public void candidatesSetSelected(long candidates, long index) {
        ALL.set(ValueLayout.JAVA_LONG, candidates + SELECTED, index);
    }

    @Override
    public boolean candidatesSorted(long candidates) {
        return ALL.get(ValueLayout.JAVA_BOOLEAN, candidates + SORTED);
    }

    @Override
    public void candidatesSetSorted(long candidates, boolean sorted) {
        ALL.set(ValueLayout.JAVA_BOOLEAN, candidates + SORTED, sorted);
    }
}
