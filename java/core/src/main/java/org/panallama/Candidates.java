package org.panallama;

import java.nio.ByteBuffer;
import org.panallama.internal.Require;
import org.panallama.spi.Binding;

/**
 * The candidates for the next token, as they pass through a {@link CustomSampler}. Valid during that call only.
 *
 * <p>Their order means nothing unless {@link #isSorted()}.
 */
public final class Candidates {

    /** Layout of an entry of {@code llama_token_data}. */
    static final int ENTRY_BYTES = 12; // int token, float logit, float probability

    static final int LOGIT = 4;
    private static final int PROBABILITY = 8;

    private final Binding binding;
    private final long address;
    private final ByteBuffer entries;
    private int size;

    Candidates(Binding binding, long address) {
        this.binding = binding;
        this.address = address;
        this.size = Math.toIntExact(binding.candidatesSize(address));
        this.entries = binding.view(binding.candidatesData(address), size * ENTRY_BYTES);
    }

    /** How many there are, 1 or more. */
    public int size() {
        return size;
    }

    /** Whether they are sorted by falling logit. */
    public boolean isSorted() {
        return binding.candidatesSorted(address);
    }

    /** The token of a candidate. */
    public int token(int index) {
        return entries.getInt(Require.index("index", index, size) * ENTRY_BYTES);
    }

    /** The logit of a candidate. */
    public float logit(int index) {
        return entries.getFloat(Require.index("index", index, size) * ENTRY_BYTES + LOGIT);
    }

    /** The probability of a candidate, where a sampler before computed it. */
    public float probability(int index) {
        return entries.getFloat(Require.index("index", index, size) * ENTRY_BYTES + PROBABILITY);
    }

    /** Changes a logit; {@link Float#NEGATIVE_INFINITY} rules a candidate out, as long as another one is left. */
    public void setLogit(int index, float logit) {
        if (Float.isNaN(logit)) {
            throw new IllegalArgumentException("logit is NaN");
        }
        entries.putFloat(Require.index("index", index, size) * ENTRY_BYTES + LOGIT, logit);
        binding.candidatesSetSorted(address, false);
    }

    /**
     * Keeps the first {@code count} candidates.
     *
     * @throws IllegalArgumentException if {@code count} is not from 1 to {@link #size()}
     */
    public void truncate(int count) {
        size = Require.inRange("count", count, 1, size);
        binding.candidatesSetSize(address, size);
    }

    /** Chooses the next token. Has an effect in a {@linkplain Sampler.Builder#selector selector} only. */
    public void select(int index) {
        binding.candidatesSetSelected(address, Require.index("index", index, size));
    }
}
