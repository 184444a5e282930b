package org.panallama;

import java.util.function.LongConsumer;
import org.panallama.internal.Require;
import org.panallama.spi.Binding;

/**
 * What a context remembers: the KV cache, or the state of a recurrent model, by sequence and position.
 *
 * <p>Sequences go from 0 to {@link Context#sequences()} - 1. Ranges of positions are half open; {@link #END} as their end means
 * everything from the start of the range on. Belongs to its context: same thread, same life.
 */
public final class ContextMemory {

    /** The end of a range that has none. */
    public static final int END = -1;

    private final Context context;
    private final Binding binding;
    private final Handle handle;

    ContextMemory(Context context, Binding binding, Handle handle) {
        this.context = context;
        this.binding = binding;
        this.handle = handle;
    }

    /** Forgets everything. */
    public void clear() {
        change(memory -> binding.memoryClear(memory, false));
    }

    /** Forgets a sequence. */
    public void remove(int sequence) {
        remove(sequence, 0, END);
    }

    /**
     * Forgets the positions {@code from} to {@code to} - 1 of a sequence.
     *
     * @return {@code false}, with nothing changed, if the model's memory cannot be cut there (a recurrent state, a sliding
     *     window that has moved on)
     */
    public boolean remove(int sequence, int from, int to) {
        checkSequence(sequence);
        checkRange(from, to);
        boolean[] removed = {true};
        change(memory -> removed[0] = binding.memoryRemove(memory, sequence, from, to));
        return removed[0];
    }

    /** Makes {@code target} a copy of {@code source}, which costs no memory in a {@linkplain
     * ContextOptions.Builder#sharedCache shared cache}. */
    public void copy(int source, int target) {
        copy(source, target, 0, END);
    }

    /**
     * Adds the positions {@code from} to {@code to} - 1 of {@code source} to {@code target}.
     *
     * @throws UnsupportedOperationException for a part of a sequence in a cache that the sequences do not share
     */
    public void copy(int source, int target, int from, int to) {
        checkSequence(source);
        checkSequence(target);
        checkRange(from, to);
        boolean whole = from == 0 && (to == END || to > context.lastPosition(source));
        if (!whole && !context.sharesCache()) {
            throw new UnsupportedOperationException("parts of a sequence can be copied in a shared cache only:"
                    + " open the context with sharedCache(true)");
        }
        if (source != target) {
            change(memory -> binding.memoryCopy(memory, source, target, whole ? -1 : from, whole ? -1 : to));
        }
    }

    /** Forgets every sequence but one. */
    public void keepOnly(int sequence) {
        checkSequence(sequence);
        change(memory -> binding.memoryKeep(memory, sequence));
    }

    /**
     * Moves the positions {@code from} to {@code to} - 1 of a sequence by {@code delta}.
     *
     * @throws UnsupportedOperationException if {@link #canShift()} is false
     * @throws IllegalArgumentException if a position would become negative
     */
    public void shift(int sequence, int from, int to, int delta) {
        checkSequence(sequence);
        checkRange(from, to);
        checkShift();
        if (Math.max(from, minPosition(sequence)) + (long) delta < 0) {
            throw new IllegalArgumentException("shifting position " + from + " by " + delta + " makes it negative");
        }
        change(memory -> binding.memoryAdd(memory, sequence, from, to, delta));
    }

    /**
     * Divides the positions {@code from} to {@code to} - 1 of a sequence.
     *
     * @param divisor 1 or more
     * @throws UnsupportedOperationException if {@link #canShift()} is false
     */
    public void divide(int sequence, int from, int to, int divisor) {
        checkSequence(sequence);
        checkRange(from, to);
        Require.inRange("divisor", divisor, 1, Integer.MAX_VALUE);
        checkShift();
        change(memory -> binding.memoryDivide(memory, sequence, from, to, divisor));
    }

    /** The first position that is still there, -1 if the sequence is empty. */
    public int minPosition(int sequence) {
        checkSequence(sequence);
        int[] position = {-1};
        with(memory -> position[0] = binding.memoryMinPosition(memory, sequence));
        return position[0];
    }

    /** The last position, -1 if the sequence is empty. */
    public int maxPosition(int sequence) {
        checkSequence(sequence);
        handle.enter();
        try {
            return context.lastPosition(sequence);
        } finally {
            handle.exit();
        }
    }

    /** Whether positions can be moved, which a context that drops its oldest tokens needs. */
    public boolean canShift() {
        boolean[] can = {false};
        with(memory -> can[0] = binding.memoryCanShift(memory));
        return can[0];
    }

    private void checkShift() {
        if (!canShift()) {
            throw new UnsupportedOperationException("the memory of " + context.model() + " does not support shifting");
        }
    }

    private void checkSequence(int sequence) {
        Require.index("sequence", sequence, context.sequences());
    }

    private static void checkRange(int from, int to) {
        Require.inRange("from", from, 0, Integer.MAX_VALUE);
        if (to != END && to < from) {
            throw new IllegalArgumentException("the range " + from + " to " + to + " ends before it starts");
        }
    }

    private void change(LongConsumer action) {
        with(memory -> {
            context.transcript().forget();
            action.accept(memory);
        });
    }

    /** Does nothing for a context without memory, which an embedding model has. */
    private void with(LongConsumer action) {
        handle.enter();
        try {
            long memory = context.memoryAddress();
            if (memory != 0) {
                action.accept(memory);
            }
        } finally {
            handle.exit();
        }
    }
}
