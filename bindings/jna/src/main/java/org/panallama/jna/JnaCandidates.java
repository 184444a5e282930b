package org.panallama.jna;

import static org.panallama.jna.NativeMemory.ALL;
import static org.panallama.jna.NativeMemory.bool;

import org.panallama.spi.SamplerCalls;

/** The array of candidates: one block that starts with {@code llama_token_data_array}, and then has the entries. */
abstract class JnaCandidates extends JnaMemory implements SamplerCalls {

    private static final long DATA = 0;
    private static final long SIZE = 8;
    private static final long SELECTED = 16;
    private static final long SORTED = 24;
    private static final long ENTRIES = 32;
    private static final long ENTRY_BYTES = 12;

    @Override
    public long candidatesNew(int capacity) {
        long candidates = allocate(ENTRIES + capacity * ENTRY_BYTES);
        candidatesReset(candidates, 0);
        return candidates;
    }

    @Override
    public void candidatesFree(long candidates) {
        free(candidates);
    }

    @Override
    public void candidatesReset(long candidates, int size) {
        ALL.setLong(candidates + DATA, candidates + ENTRIES);
        candidatesSetSize(candidates, size);
        candidatesSetSelected(candidates, -1);
        candidatesSetSorted(candidates, false);
    }

    @Override
    public long candidatesData(long candidates) {
        return ALL.getLong(candidates + DATA);
    }

    @Override
    public long candidatesSize(long candidates) {
        return ALL.getLong(candidates + SIZE);
    }

    @Override
    public void candidatesSetSize(long candidates, long size) {
        ALL.setLong(candidates + SIZE, size);
    }

    @Override
    public long candidatesSelected(long candidates) {
        return ALL.getLong(candidates + SELECTED);
    }

    @Override
    public void candidatesSetSelected(long candidates, long index) {
        ALL.setLong(candidates + SELECTED, index);
    }

    @Override
    public boolean candidatesSorted(long candidates) {
        return ALL.getByte(candidates + SORTED) != 0;
    }

    @Override
    public void candidatesSetSorted(long candidates, boolean sorted) {
        ALL.setByte(candidates + SORTED, bool(sorted));
    }
}
