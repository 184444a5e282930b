package org.panallama.tools.imatrix;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.panallama.Batch;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.LlamaException;
import org.panallama.Model;
import org.panallama.Vocab;
import org.panallama.tools.Progress;
import org.panallama.tools.internal.OutputPlace;

/**
 * Collects an {@link Imatrix} while a model evaluates a text, as llama-imatrix does: the text's tokens are cut into chunks that
 * know nothing of each other, each begins with BOS where the model wants one, and the rest at the end is left out.
 *
 * <pre>{@code
 * Imatrix matrix = ImatrixCollector.builder(model).build().collect(text, Progress.NONE);
 * matrix.write(Path.of("imatrix.gguf"));
 * }</pre>
 *
 * <p>May be used again, by one thread at a time.
 */
public final class ImatrixCollector {

    private static final int MAX_CHUNK = 1 << 20;

    private final Model model;
    private final int chunkSize;
    private final int firstChunk;
    private final int maxChunks;
    private final boolean outputTensor;
    private final boolean parseSpecial;
    private final String dataset;
    private final @Nullable Imatrix previous;
    private final boolean resume;
    private final @Nullable Path file;
    private final int saveEvery;
    private final ContextOptions.Builder context;

    private ImatrixCollector(Builder builder) {
        model = builder.model;
        chunkSize = builder.chunkSize;
        firstChunk = builder.firstChunk;
        maxChunks = builder.maxChunks;
        outputTensor = builder.outputTensor;
        parseSpecial = builder.parseSpecial;
        dataset = builder.dataset;
        previous = builder.previous;
        resume = builder.resume;
        file = builder.file;
        saveEvery = builder.saveEvery;
        context = ContextOptions.builder();
        if (builder.threads > 0) {
            context.threads(builder.threads);
        }
    }

    /** Begins with chunks of 512 tokens, the whole text, without the output matrix. */
    public static Builder builder(Model model) {
        return new Builder(model);
    }

    /** Collects how to collect. */
    public static final class Builder {

        private final Model model;
        private int chunkSize = 512;
        private int firstChunk;
        private int maxChunks = Integer.MAX_VALUE;
        private boolean outputTensor;
        private boolean parseSpecial;
        private String dataset = "text";
        private @Nullable Imatrix previous;
        private boolean resume;
        private @Nullable Path file;
        private int saveEvery = 10;
        private int threads;

        private Builder(Model model) {
            this.model = model;
        }

        /**
         * Tokens in a chunk.
         *
         * @throws IllegalArgumentException unless from 8 to 1048576
         */
        public Builder chunkSize(int tokens) {
            chunkSize = inRange("chunkSize", tokens, 8, MAX_CHUNK);
            return this;
        }

        /**
         * The first chunk of the text to evaluate, from 0.
         *
         * @throws IllegalArgumentException if negative
         */
        public Builder firstChunk(int chunk) {
            firstChunk = inRange("firstChunk", chunk, 0, Integer.MAX_VALUE);
            return this;
        }

        /**
         * How many chunks to evaluate at most.
         *
         * @throws IllegalArgumentException if not positive
         */
        public Builder maxChunks(int chunks) {
            maxChunks = inRange("maxChunks", chunks, 1, Integer.MAX_VALUE);
            return this;
        }

        /** Whether the output matrix is in the result, which costs the time of computing all logits twice over. */
        public Builder outputTensor(boolean on) {
            outputTensor = on;
            return this;
        }

        /** Whether special tokens are recognised in the text, as a text in a chat template needs. */
        public Builder parseSpecial(boolean on) {
            parseSpecial = on;
            return this;
        }

        /** The text's name, for the file's metadata. */
        public Builder dataset(String name) {
            dataset = name;
            return this;
        }

        /** A matrix to add to, of other texts. */
        public Builder startFrom(Imatrix matrix) {
            previous = matrix;
            resume = false;
            return this;
        }

        /**
         * A matrix of the same text to go on from, which an earlier run saved before it was interrupted. The result is the same
         * as without the interruption.
         *
         * @throws IllegalArgumentException if the matrix does not say how far it got
         */
        public Builder resume(Imatrix matrix) {
            if (matrix.position() == null) {
                throw new IllegalArgumentException(
                        "the importance matrix does not say how far into its text it got, so that"
                                + " the collection cannot go on from there; add to it with firstChunk");
            }
            previous = matrix;
            resume = true;
            return this;
        }

        /**
         * Where to save the matrix every few chunks, and at the end.
         *
         * @param target the file
         * @param chunks how often
         * @throws IllegalArgumentException if {@code chunks} is not positive
         */
        public Builder saveTo(Path target, int chunks) {
            file = target;
            saveEvery = inRange("chunks", chunks, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * CPU threads; by default one for each core.
         *
         * @throws IllegalArgumentException unless from 1 to 512
         */
        public Builder threads(int count) {
            threads = inRange("threads", count, 1, 512);
            return this;
        }

        /** The collector. */
        public ImatrixCollector build() {
            return new ImatrixCollector(this);
        }

        private static int inRange(String name, int value, int min, int max) {
            if (value < min || value > max) {
                throw new IllegalArgumentException(name + " is " + value + ", must be from " + min + " to " + max);
            }
            return value;
        }
    }

    /**
     * Evaluates a text.
     *
     * @param progress is asked after each chunk; where it cancels, what was collected is saved first
     * @return the matrix, saved if a file was named
     * @throws IllegalArgumentException if the text has no chunk to evaluate, or is not the one to be resumed
     * @throws LlamaException if the model cannot be evaluated, its activations are not finite, or the file cannot be written
     * @throws CancellationException if {@code progress} says so
     */
    public Imatrix collect(String text, Progress progress) {
        requirePlace();
        int[] tokens = model.vocab().tokenize(text, true, parseSpecial);
        String digest = digest(tokens);
        int first = first(digest);
        int last = last(tokens.length, first);
        ActivationSums sums = new ActivationSums(outputTensor);
        if (previous != null) {
            sums.start(previous.tensors());
        }
        ContextOptions options = context.length(chunkSize)
                .batch(chunkSize)
                .microBatch(Math.min(chunkSize, 512))
                .observer(sums)
                .build();
        boolean interrupted = false;
        int done = first;
        try (Context evaluation = model.newContext(options);
                Batch batch = Batch.tokens(chunkSize)) {
            while (done < last && !interrupted) {
                evaluate(evaluation, batch, tokens, done);
                done++;
                interrupted = !progress.onProgress((double) (done - first) / (last - first));
                if ((done - first) % saveEvery == 0 || interrupted || done == last) {
                    save(sums, first, done, digest);
                }
            }
        }
        if (interrupted && done < last) {
            throw new CancellationException("The collection was cancelled after chunk " + done + " of " + last);
        }
        return matrix(sums, first, done, digest);
    }

    /** Before hours of work. */
    private void requirePlace() {
        if (file != null) {
            try {
                OutputPlace.requireFile(file, List.of(model.file()));
            } catch (IOException e) {
                throw OutputPlace.failed(file, e);
            }
        }
    }

    private int first(String digest) {
        TextPosition position = previous == null ? null : previous.position();
        if (!resume || position == null) {
            return firstChunk;
        }
        if (!position.digest().equals(digest)) {
            throw new IllegalArgumentException(
                    "the importance matrix to go on from was collected from another text, with"
                            + " another tokenizer or with chunks of another size");
        }
        return position.nextChunk();
    }

    /** The end of the chunks to evaluate; with {@link Builder#resume} they may be done already. */
    private int last(int tokens, int first) {
        int chunks = tokens / chunkSize;
        if (chunks == 0 || first > chunks || first == chunks && !resume) {
            throw new IllegalArgumentException("the text has " + tokens + " tokens, which are " + chunks + " chunks of "
                    + chunkSize + "; chunk " + first + " is not among them. Choose a longer text or shorter chunks");
        }
        return (int) Math.min(chunks, (long) first + maxChunks);
    }

    /** All tokens have an output: llama.cpp leaves out the rest of the last layer for those that have none. */
    private void evaluate(Context evaluation, Batch batch, int[] tokens, int chunk) {
        Vocab vocab = model.vocab();
        evaluation.memory().clear();
        batch.clear();
        for (int i = 0; i < chunkSize; i++) {
            int token = i == 0 && vocab.addsBos() ? vocab.bos() : tokens[chunk * chunkSize + i];
            batch.add(token, i, 0, true);
        }
        evaluation.decode(batch);
    }

    private void save(ActivationSums sums, int first, int done, String digest) {
        if (file != null) {
            matrix(sums, first, done, digest).write(file);
        }
    }

    private Imatrix matrix(ActivationSums sums, int first, int done, String digest) {
        List<String> datasets = new ArrayList<>();
        long chunks = done - first;
        if (previous != null) {
            datasets.addAll(previous.datasets());
            chunks += previous.chunkCount();
        }
        if (!resume) {
            datasets.add(dataset);
        }
        return new Imatrix(
                sums.snapshot(),
                datasets,
                (int) Math.min(chunks, Integer.MAX_VALUE),
                chunkSize,
                new TextPosition(digest, done));
    }

    private String digest(int[] tokens) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            ByteBuffer bytes =
                    ByteBuffer.allocate((tokens.length + 1) * Integer.BYTES).putInt(chunkSize);
            bytes.asIntBuffer().put(tokens);
            return HexFormat.of().formatHex(sha.digest(bytes.array()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
