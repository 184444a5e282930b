package org.panallama.tools.perplexity;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.LlamaException;
import org.panallama.LoraAdapter;
import org.panallama.Model;
import org.panallama.tools.Progress;
import org.panallama.tools.internal.OutputPlace;
import org.panallama.tools.internal.StagingFolder;

/**
 * Measures how well a model predicts a text, as {@code llama-perplexity} does, so that the numbers compare.
 *
 * <p>The plain form cuts the text into windows of the context's length, with BOS in place of the first token of each where the
 * model wants one, and scores the tokens in the second half, which have at least half a context before them. The strided form
 * moves overlapping windows of length + stride / 2 tokens on by the stride, and scores the last stride tokens of each.
 *
 * <p>Immutable; may be used from several threads, each measurement opening a context of its own.
 */
public final class Perplexity {

    /** The longest context in tokens. */
    public static final int LONGEST_CONTEXT = 1 << 22;

    private static final int SHORTEST_CONTEXT = 4; // at least one token is scored
    private static final int MOST_SEQUENCES = 64;

    private final int contextLength;
    private final int stride;
    private final int most;
    private final int batch;
    private final boolean parseSpecial;
    private final Supplier<ContextOptions.Builder> options;
    private final Map<LoraAdapter, Float> adapters;

    private Perplexity(Builder builder) {
        contextLength = builder.contextLength;
        stride = builder.stride;
        most = builder.windows;
        batch = builder.batch;
        parseSpecial = builder.parseSpecial;
        options = builder.options;
        adapters = builder.adapters;
    }

    /** Begins with a context of 512 tokens, the plain form, the whole text. */
    public static Builder builder() {
        return new Builder();
    }

    /** Collects how to measure. */
    public static final class Builder {

        private int contextLength = 512;
        private int stride;
        private int windows = Integer.MAX_VALUE;
        private int batch = 512;
        private boolean parseSpecial;
        private Supplier<ContextOptions.Builder> options = ContextOptions::builder;
        private Map<LoraAdapter, Float> adapters = Map.of();

        private Builder() {}

        /** Tokens of a window, from 4 to {@value #LONGEST_CONTEXT}; 512 by default. */
        public Builder contextLength(int tokens) {
            contextLength = inRange("contextLength", tokens, SHORTEST_CONTEXT, LONGEST_CONTEXT);
            return this;
        }

        /** Tokens between windows of the strided form, at most the context's length; 0, the default, for the plain form. */
        public Builder stride(int tokens) {
            stride = inRange("stride", tokens, 0, LONGEST_CONTEXT);
            return this;
        }

        /** Most windows to measure, 1 or more; by default the whole text. */
        public Builder windows(int count) {
            windows = inRange("windows", count, 1, Integer.MAX_VALUE);
            return this;
        }

        /** Tokens computed at once, from 1; 512 by default. Of shorter windows, as many as fit are computed together. */
        public Builder batch(int tokens) {
            batch = inRange("batch", tokens, 1, 1 << 20);
            return this;
        }

        /**
         * Whether special tokens are recognised in the text, as one with a model's end-of-text tokens or chat template needs;
         * off by default, as in {@code llama-perplexity}.
         */
        public Builder parseSpecial(boolean on) {
            parseSpecial = on;
            return this;
        }

        /**
         * Makes the other options of the contexts: threads, formats of the KV cache, RoPE scaling. Length, batch and sequences
         * are set by the measurement.
         */
        public Builder options(Supplier<ContextOptions.Builder> supplier) {
            options = Objects.requireNonNull(supplier, "supplier");
            return this;
        }

        /** Adapters of the model to measure, with their scales. */
        public Builder adapters(Map<LoraAdapter, Float> scales) {
            adapters = Map.copyOf(scales);
            return this;
        }

        /**
         * Checks the values together.
         *
         * @throws IllegalArgumentException if the stride is longer than the context
         */
        public Perplexity build() {
            if (stride > contextLength) {
                throw new IllegalArgumentException(
                        "stride is " + stride + ", must be from 0 to the context's " + contextLength);
            }
            return new Perplexity(this);
        }

        private static int inRange(String name, int value, int least, int most) {
            if (value < least || value > most) {
                throw new IllegalArgumentException(name + " is " + value + ", must be from " + least + " to " + most);
            }
            return value;
        }
    }

    /**
     * Measures a text.
     *
     * @throws LlamaException if the text is shorter than a window, or the model does not predict tokens
     * @throws CancellationException if the progress says so
     */
    public PerplexityResult measure(Model model, String text, Progress progress) {
        LikelihoodScoring scoring = new LikelihoodScoring();
        Windows windows = windows(model, text);
        try {
            evaluate(model, windows, scoring, false, progress);
        } catch (IOException e) {
            throw new LlamaException("Cannot measure: " + e, e);
        }
        return result(windows, scoring);
    }

    /**
     * Measures a text and saves the predictions for {@link #compare}, in the format of {@code llama-perplexity
     * --save-all-logits}: two bytes for each scored token and entry of the vocabulary. The file appears whole or not at all.
     * At its end it has, in addition, the likelihoods exactly, which llama.cpp does not read.
     *
     * @param logits appears when it is complete, in the place of a file that is there, unless that is the model
     * @throws LlamaException as {@link #measure}, and if the disk has no room or the file cannot be written
     * @throws IllegalStateException in the strided form, which the format does not provide for
     */
    public PerplexityResult measureAndSave(Model model, String text, Path logits, Progress progress) {
        requirePlain("saved");
        Windows windows = windows(model, text);
        PerplexityResult result;
        try {
            OutputPlace.requireFile(logits, List.of(model.file()));
            OutputPlace.requireRoom(logits, 2L * model.vocab().size() * windows.scored());
            try (StagingFolder staging = new StagingFolder(logits)) {
                Path staged = staging.file(logits.getFileName().toString());
                try (LogitsFile.Recorder recorder =
                        new LogitsFile.Recorder(staged, windows, model.vocab().size())) {
                    RecordingScoring scoring = new RecordingScoring(recorder);
                    evaluate(model, windows, scoring, true, progress);
                    recorder.finish();
                    result = result(windows, scoring);
                }
                staging.moveIntoPlace(List.of(staged));
            }
        } catch (IOException e) {
            throw OutputPlace.failed(logits, e);
        }
        return result;
    }

    /**
     * Compares a model with the predictions of another one with the same vocabulary, on the text and with the context length
     * that these were made with; the length set here does not matter.
     *
     * @param base a file of {@link #measureAndSave} or of {@code llama-perplexity --save-all-logits}. In the latter, no
     *     probability is below e^-16 of the largest, which makes the base's perplexity too low where it is sure and wrong
     * @throws LlamaException if the file cannot be read, is damaged, or was made with another vocabulary
     * @throws IllegalStateException in the strided form
     */
    public KlDivergence compare(Model model, Path base, Progress progress) {
        requirePlain("compared");
        try (LogitsFile file = LogitsFile.open(base)) {
            if (file.vocabSize() != model.vocab().size()) {
                throw new LlamaException(base + " was made by a model with " + file.vocabSize() + " tokens, " + model
                        + " has " + model.vocab().size() + ": the divergence needs the same vocabulary");
            }
            Windows windows = Windows.plain(model.vocab(), file.tokens(), file.contextLength(), most);
            DivergenceScoring scoring = new DivergenceScoring(file, windows.scored());
            evaluate(model, windows, scoring, true, progress);
            return scoring.result(result(windows, scoring));
        } catch (IOException e) {
            throw new LlamaException(base + ": cannot be read: " + e, e);
        }
    }

    private void requirePlain(String what) {
        if (stride > 0) {
            throw new IllegalStateException(
                    "predictions are " + what + " in the plain form only: leave out the stride");
        }
    }

    private Windows windows(Model model, String text) {
        int[] tokens = model.vocab().tokenize(text, true, parseSpecial);
        if (model.vocab().addsEos() && tokens.length > 0) {
            tokens = Arrays.copyOf(tokens, tokens.length - 1);
        }
        return stride == 0
                ? Windows.plain(model.vocab(), tokens, contextLength, most)
                : Windows.strided(tokens, contextLength, stride, most);
    }

    private PerplexityResult result(Windows windows, LikelihoodScoring scoring) {
        return new PerplexityResult(
                stride == 0 ? windows.length() : contextLength,
                stride,
                windows.count(),
                scoring.nll().count(),
                scoring.nll().estimate());
    }

    private void evaluate(Model model, Windows windows, RowScoring scoring, boolean stores, Progress progress)
            throws IOException {
        if (!model.hasDecoder()) {
            throw new LlamaException(model + " does not predict tokens, so there is no perplexity to measure");
        }
        int together = Math.max(1, Math.min(Math.min(MOST_SEQUENCES, windows.count()), batch / windows.length()));
        int size = together == 1 ? Math.min(batch, windows.length()) : together * windows.length();
        ContextOptions.Builder builder = options.get()
                .length(together * windows.length())
                .sequences(together)
                .sharedCache(false)
                .batch(size)
                .microBatch(size);
        try (Context context = model.newContext(builder.build())) {
            if (!adapters.isEmpty()) {
                context.setLora(adapters);
            }
            new Evaluation(context, windows)
                    .run(new RowQueue(scoring, model.vocab().size(), stores), progress);
        }
    }
}
