package org.panallama;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.Require;
import org.panallama.spi.BatchArrays;
import org.panallama.spi.Binding;

/**
 * Tokens to compute together: each with its position, the sequences it belongs to, and whether its output is wanted.
 *
 * <p>Reusable: {@link #clear()} and fill again. Serves one thread at a time. Native memory, so close it.
 */
public final class Batch implements AutoCloseable {

    private static final int MAX_CAPACITY = 1 << 20;

    private final Handle handle;
    private final int capacity;
    private final int maxSequences;
    private final int embeddingSize;
    private final @Nullable ByteBuffer tokens;
    private final @Nullable ByteBuffer embeddings;
    private final ByteBuffer positions;
    private final ByteBuffer sequenceCounts;
    private final ByteBuffer sequences;
    private final ByteBuffer outputs;
    private int size;
    private int largestSequence;
    private int largestToken;
    private int largestPosition;

    private Batch(int capacity, int embeddingSize, int maxSequences, @Nullable Handle parent) {
        this.capacity = Require.inRange("capacity", capacity, 1, MAX_CAPACITY);
        this.maxSequences = Require.inRange("maxSequences", maxSequences, 1, Llama.maxSequences());
        this.embeddingSize = embeddingSize;
        Binding binding = Llama.binding();
        long address = binding.batchNew(capacity, embeddingSize, maxSequences);
        BatchArrays arrays = binding.batchArrays(address);
        tokens = arrays.tokens();
        embeddings = arrays.embeddings();
        positions = arrays.positions();
        sequenceCounts = arrays.sequenceCounts();
        sequences = arrays.sequences();
        outputs = arrays.outputs();
        handle = new Handle(this, "batch", address, true, parent, binding::batchFree);
    }

    /**
     * A batch of token ids, each of one sequence.
     *
     * @param capacity largest number of tokens
     */
    public static Batch tokens(int capacity) {
        return tokens(capacity, 1);
    }

    /**
     * A batch of token ids.
     *
     * @param capacity largest number of tokens
     * @param maxSequences largest number of sequences that one token belongs to
     */
    public static Batch tokens(int capacity, int maxSequences) {
        return new Batch(capacity, 0, maxSequences, null);
    }

    /** A batch of token ids, each of one sequence, that closes with its context. */
    static Batch scratch(int capacity, Handle context) {
        return new Batch(capacity, 0, 1, context);
    }

    /**
     * A batch of embeddings in place of token ids.
     *
     * @param capacity largest number of embeddings
     * @param embeddingSize width of each, as {@link Model#inputEmbeddingSize()} says
     * @param maxSequences largest number of sequences that one embedding belongs to
     */
    public static Batch embeddings(int capacity, int embeddingSize, int maxSequences) {
        return new Batch(capacity, Require.inRange("embeddingSize", embeddingSize, 1, 1 << 24), maxSequences, null);
    }

    /**
     * Adds a token of one sequence.
     *
     * @param token token id
     * @param position the token's position in its sequence, from 0
     * @param sequence the sequence, from 0
     * @param output whether logits (or an embedding) are wanted for it
     * @return its index in the batch, which {@link Context#logits(int)} takes
     * @throws IllegalStateException if the batch is full, holds embeddings, or is closed
     */
    public int add(int token, int position, int sequence, boolean output) {
        handle.enter();
        try {
            int index = next(position, output);
            putToken(index, token);
            sequenceCounts.putInt(index * Integer.BYTES, 1);
            putSequence(index, 0, sequence);
            return size++;
        } finally {
            handle.exit();
        }
    }

    /**
     * Adds a token that belongs to several sequences, which share what is computed for it.
     *
     * @see #add(int, int, int, boolean)
     */
    public int add(int token, int position, int[] sequences, boolean output) {
        handle.enter();
        try {
            int index = next(position, output);
            putToken(index, token);
            putSequences(index, sequences);
            return size++;
        } finally {
            handle.exit();
        }
    }

    /**
     * Adds an embedding.
     *
     * @param values {@code embeddingSize} numbers
     * @see #add(int, int, int, boolean)
     */
    public int add(float[] values, int position, int[] sequences, boolean output) {
        if (embeddings == null) {
            throw new IllegalStateException("this batch holds tokens; make it with Batch.embeddings()");
        }
        if (values.length != embeddingSize) {
            throw new IllegalArgumentException(
                    "the embedding has " + values.length + " numbers, must have " + embeddingSize);
        }
        handle.enter();
        try {
            int index = next(position, output);
            int start = index * embeddingSize;
            for (int i = 0; i < values.length; i++) {
                embeddings.putFloat((start + i) * Float.BYTES, values[i]);
            }
            putSequences(index, sequences);
            return size++;
        } finally {
            handle.exit();
        }
    }

    private int next(int position, boolean output) {
        if (size == capacity) {
            throw new IllegalStateException("the batch is full: it was made for " + capacity + " tokens");
        }
        Require.inRange("position", position, 0, Integer.MAX_VALUE);
        positions.putInt(size * Integer.BYTES, position);
        largestPosition = Math.max(largestPosition, position);
        outputs.put(size, (byte) (output ? 1 : 0));
        return size;
    }

    private void putToken(int index, int token) {
        if (tokens == null) {
            throw new IllegalStateException("this batch holds embeddings; make it with Batch.tokens()");
        }
        Require.inRange("token", token, 0, Integer.MAX_VALUE);
        tokens.putInt(index * Integer.BYTES, token);
        largestToken = Math.max(largestToken, token);
    }

    private void putSequences(int index, int[] ids) {
        if (ids.length == 0 || ids.length > maxSequences) {
            throw new IllegalArgumentException(
                    ids.length + " sequences for one token, must be 1 to " + maxSequences + " as the batch was made");
        }
        for (int i = 0; i < ids.length; i++) {
            putSequence(index, i, ids[i]);
        }
        sequenceCounts.putInt(index * Integer.BYTES, ids.length);
    }

    private void putSequence(int index, int which, int sequence) {
        Require.inRange("sequence", sequence, 0, Llama.maxSequences() - 1);
        sequences.putInt((index * maxSequences + which) * Integer.BYTES, sequence);
        largestSequence = Math.max(largestSequence, sequence);
    }

    /** Empties the batch. */
    public void clear() {
        size = 0;
        largestSequence = 0;
        largestToken = 0;
        largestPosition = 0;
    }

    /** How many tokens are in the batch. */
    public int size() {
        return size;
    }

    /** How many tokens fit. */
    public int capacity() {
        return capacity;
    }

    /** Whether the batch holds embeddings rather than token ids. */
    public boolean holdsEmbeddings() {
        return embeddings != null;
    }

    @Override
    public void close() {
        handle.close();
    }

    Handle handle() {
        return handle;
    }

    int embeddingSize() {
        return embeddingSize;
    }

    int largestSequence() {
        return largestSequence;
    }

    int largestToken() {
        return largestToken;
    }

    int largestPosition() {
        return largestPosition;
    }

    @Override
    public String toString() {
        return "batch of " + size + " of " + capacity + (holdsEmbeddings() ? " embeddings" : " tokens");
    }
}
