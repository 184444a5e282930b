package org.panallama;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;
import org.panallama.internal.Require;

/**
 * Turns texts into vectors that are close where the meanings are. Works with embedding models, and with any other model, whose
 * vectors are then less useful.
 *
 * <p>Thread-safe; calls wait for each other. It has a context of its own, which {@link #close()} frees.
 */
public final class Embedder implements AutoCloseable {

    private final Vocab vocab;
    private final int size;
    private final boolean normalize;
    private final SequenceBatches batches;
    private final ReentrantLock lock = new ReentrantLock();

    private Embedder(Builder builder) {
        this.vocab = builder.model.vocab();
        this.size = builder.model.outputEmbeddingSize();
        this.normalize = builder.normalize;
        this.batches = new SequenceBatches(
                builder.model, builder.settledPooling(), builder.microBatch, builder.sequences, builder.threads);
    }

    /** An embedder with the settings of a new {@link #builder}. */
    public static Embedder of(Model model) {
        return builder(model).build();
    }

    public static Builder builder(Model model) {
        return new Builder(model);
    }

    /**
     * The vector of a text.
     *
     * @param text special tokens are not recognised in it; the model's own (BOS, CLS, EOS, SEP) are added
     * @return {@link #size()} numbers
     * @throws IllegalArgumentException if the text has no tokens, or more than {@link #longestText()}
     * @throws IllegalStateException with {@link Pooling#NONE}, or if the embedder or its model is closed
     */
    public float[] embed(String text) {
        return embed(List.of(text)).get(0);
    }

    /**
     * The vectors of several texts, in their order. As many as fit into the micro-batch are computed together.
     *
     * @throws IllegalArgumentException as {@link #embed(String)}; nothing is computed then
     * @throws IllegalStateException as {@link #embed(String)}
     */
    public List<float[]> embed(List<String> texts) {
        return embedSequences(
                texts.stream().map(text -> vocab.tokenize(text, true, false)).toList());
    }

    /**
     * The vectors of token sequences, in their order. The sequences are computed as they are, so those of texts should have the
     * special tokens that the model adds.
     *
     * @throws IllegalArgumentException if a sequence is empty, or has more than {@link #longestText()} tokens; nothing is computed
     *     then
     * @throws IndexOutOfBoundsException if the vocabulary has no such token
     * @throws IllegalStateException as {@link #embed(String)}
     */
    public List<float[]> embedSequences(List<int[]> sequences) {
        if (batches.pooling() == Pooling.NONE) {
            throw new IllegalStateException(
                    "with Pooling.NONE a text has no vector; use embedTokens(), or another pooling");
        }
        for (int i = 0; i < sequences.size(); i++) {
            batches.check(sequences.size() == 1 ? "the text" : "text " + i, sequences.get(i));
            for (int token : sequences.get(i)) {
                Require.index("token", token, vocab.size());
            }
        }
        lock.lock();
        try {
            return finish(batches.compute(sequences));
        } finally {
            lock.unlock();
        }
    }

    /**
     * The vectors of a text's tokens, those that the model adds included.
     *
     * @throws IllegalArgumentException as {@link #embed(String)}
     * @throws IllegalStateException without {@link Pooling#NONE}, or if the embedder or its model is closed
     */
    public List<float[]> embedTokens(String text) {
        if (batches.pooling() != Pooling.NONE) {
            throw new IllegalStateException("with Pooling." + batches.pooling()
                    + " tokens have no vectors; build the embedder with Pooling.NONE");
        }
        int[] tokens = vocab.tokenize(text, true, false);
        batches.check("the text", tokens);
        lock.lock();
        try {
            return finish(batches.computeTokens(tokens));
        } finally {
            lock.unlock();
        }
    }

    private List<float[]> finish(List<float[]> vectors) {
        if (normalize) {
            vectors.forEach(Embedder::normalize);
        }
        return vectors;
    }

    /** To Euclidean length 1; a zero vector stays. */
    private static void normalize(float[] vector) {
        double sum = 0;
        for (float value : vector) {
            sum += (double) value * value;
        }
        double scale = sum > 0 ? 1 / Math.sqrt(sum) : 0;
        for (int i = 0; i < vector.length; i++) {
            vector[i] = (float) (vector[i] * scale);
        }
    }

    /** How many numbers a vector has. */
    public int size() {
        return size;
    }

    /** The most tokens that a text can have, with those that the model adds. */
    public int longestText() {
        return batches.longest();
    }

    /** How tokens' vectors become a text's. */
    public Pooling pooling() {
        return batches.pooling();
    }

    /** Frees the context. Waits for the call in flight. */
    @Override
    public void close() {
        lock.lock();
        try {
            batches.close();
        } finally {
            lock.unlock();
        }
    }

    /** Collects settings; each value is checked when it is set. Not thread-safe. */
    public static final class Builder {

        private final Model model;
        private Pooling pooling = Pooling.FROM_MODEL;
        private boolean normalize = true;
        private int microBatch = SequenceBatches.DEFAULT_MICRO_BATCH;
        private int sequences = SequenceBatches.DEFAULT_SEQUENCES;
        private int threads;

        private Builder(Model model) {
            this.model = Objects.requireNonNull(model, "model");
        }

        /**
         * How tokens' vectors become a text's. By default as the model says, and {@link Pooling#MEAN} if it says nothing.
         *
         * @throws IllegalArgumentException for {@link Pooling#RANK}, see {@link Reranker}
         */
        public Builder pooling(Pooling type) {
            if (Objects.requireNonNull(type, "type") == Pooling.RANK) {
                throw new IllegalArgumentException("pooling is RANK, which gives scores, not vectors; see Reranker");
            }
            pooling = type;
            return this;
        }

        /** Whether vectors are scaled to Euclidean length 1, as they are by default. */
        public Builder normalize(boolean on) {
            normalize = on;
            return this;
        }

        /** Most tokens that are computed together, and so also of one text; 512 by default. */
        public Builder microBatch(int tokens) {
            microBatch = Require.inRange("microBatch", tokens, 1, ContextOptions.Builder.MAX_BATCH);
            return this;
        }

        /** Most texts that are computed together; 32 by default. */
        public Builder sequences(int count) {
            sequences = Require.inRange("sequences", count, 1, Llama.maxSequences());
            return this;
        }

        /** CPU threads; one for each core by default. */
        public Builder threads(int count) {
            threads = Require.inRange("threads", count, 1, ContextOptions.Builder.MAX_THREADS);
            return this;
        }

        /**
         * The embedder.
         *
         * @throws LlamaException if there is not enough memory, or the model is a reranker and no pooling was set
         */
        public Embedder build() {
            return new Embedder(this);
        }

        private Pooling settledPooling() {
            if (pooling != Pooling.FROM_MODEL) {
                return pooling;
            }
            Pooling own = model.pooling();
            if (own == Pooling.RANK) {
                throw new LlamaException(model + " is a reranker: it scores documents for a query, see Reranker."
                        + " For its embeddings all the same, set a pooling.");
            }
            return own == Pooling.NONE ? Pooling.MEAN : own;
        }
    }
}
