package org.panallama;

import java.util.ArrayList;
import java.util.List;

/**
 * A context that computes short token sequences which have nothing to do with each other, as many together as its micro-batch
 * holds, and forgets them. Pooling needs all of a sequence in one micro-batch. Not thread-safe.
 */
final class SequenceBatches implements AutoCloseable {

    static final int DEFAULT_MICRO_BATCH = 512;
    static final int DEFAULT_SEQUENCES = 32;

    private final Context context;
    private final Batch batch;
    private final int longest;

    SequenceBatches(Model model, Pooling pooling, int microBatch, int sequences, int threads) {
        // llama.cpp spreads several sequences of a recurrent model over more than one micro-batch.
        boolean together = !model.isRecurrent() && !model.isHybrid();
        int count = together ? Math.min(sequences, microBatch) : 1;
        int trained = model.trainContextLength();
        int most = trained > 0 ? Math.min(microBatch, trained) : microBatch;
        ContextOptions.Builder options = ContextOptions.builder()
                .length(count == 1 ? most : microBatch)
                .batch(microBatch)
                .microBatch(microBatch)
                .sequences(count)
                .pooling(pooling)
                .embeddings(true);
        if (threads > 0) {
            options.threads(threads);
        }
        this.context = model.newContext(options.build());
        this.batch = Batch.scratch(context.microBatchSize(), context.handle());
        this.longest = Math.min(most, batch.capacity());
    }

    /** The most tokens that a sequence can have. */
    int longest() {
        return longest;
    }

    /** @throws IllegalArgumentException if the sequence is empty or too long */
    void check(String what, int[] tokens) {
        if (tokens.length == 0) {
            throw new IllegalArgumentException(what + " is empty: it has no tokens");
        }
        if (tokens.length > longest) {
            boolean trained = longest < context.microBatchSize();
            throw new IllegalArgumentException(what + " has " + tokens.length + " tokens, at most " + longest
                    + (trained
                            ? " are what " + context.model() + " was trained for: shorten or split it"
                            : " fit into the micro-batch: shorten or split it, or set a larger microBatch()"));
        }
    }

    /** What the pooling made of each sequence, in their order. */
    List<float[]> compute(List<int[]> sequences) {
        List<float[]> vectors = new ArrayList<>(sequences.size());
        int next = 0;
        while (next < sequences.size()) {
            int first = next;
            batch.clear();
            while (next < sequences.size()
                    && next - first < context.sequences()
                    && batch.size() + sequences.get(next).length <= batch.capacity()) {
                add(sequences.get(next), next - first);
                next++;
            }
            run();
            for (int i = 0; i < next - first; i++) {
                vectors.add(context.sequenceEmbedding(i).toArray());
            }
        }
        return vectors;
    }

    /** The embedding of each token of a sequence, without pooling. */
    List<float[]> computeTokens(int[] tokens) {
        batch.clear();
        add(tokens, 0);
        run();
        List<float[]> vectors = new ArrayList<>(tokens.length);
        for (int i = 0; i < tokens.length; i++) {
            vectors.add(context.embedding(i).toArray());
        }
        return vectors;
    }

    private void add(int[] tokens, int sequence) {
        for (int position = 0; position < tokens.length; position++) {
            batch.add(tokens[position], position, sequence, true);
        }
    }

    private void run() {
        context.memory().clear();
        if (context.model().hasEncoder()) {
            context.encode(batch);
        } else {
            context.decode(batch);
        }
    }

    Pooling pooling() {
        return context.pooling();
    }

    @Override
    public void close() {
        context.close();
    }
}
