package org.panallama;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.AnswerText;
import org.panallama.internal.Require;

/**
 * A text being generated: an {@link Iterable} of its pieces, which never split a character and never hold a part of a stop
 * string. The prompt is computed when the first piece is asked for, every token when it is needed.
 *
 * <p>Can be gone through once. It works on sequence 0 of its context and on the caller's thread; only {@link #cancel()} may be
 * called from another one. While it is not finished, nothing else may use the context.
 */
public final class Generation implements Iterable<String> {

    private final Context context;
    private final Vocab vocab;
    private final Sampler sampler;
    private final GenerationOptions options;
    private final ContextFullPolicy whenFull;
    private final int keep;
    private final int[] prompt;
    private final AnswerText text;
    private final StringBuilder consumed = new StringBuilder();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private int[] tokens = new int[32];
    private int generated;
    private int reused;
    private int position; // of the next token to compute
    private boolean started;
    private boolean iterated;
    private volatile boolean cancelled;
    private boolean failed;
    private @Nullable FinishReason reason;
    private long startedAt;
    private long promptDoneAt;
    private long finishedAt;

    Generation(Context context, int[] prompt, Sampler sampler, GenerationOptions options) {
        this(context, prompt, sampler, options, options.whenFull, options.keep);
    }

    /** With a policy in place of the options'. */
    Generation(
            Context context,
            int[] prompt,
            Sampler sampler,
            GenerationOptions options,
            ContextFullPolicy whenFull,
            int keep) {
        this.context = context;
        this.vocab = context.model().vocab();
        this.sampler = Objects.requireNonNull(sampler, "sampler");
        this.options = options;
        this.whenFull = whenFull;
        this.keep = keep;
        this.prompt = prompt.clone();
        this.text = new AnswerText(options.stop, options.stripLeadingSpace);
        if (prompt.length == 0) {
            throw new IllegalArgumentException("the prompt has no tokens, so there is nothing to continue");
        }
        for (int token : prompt) {
            Require.index("token", token, context.vocabSize());
        }
        if (prompt.length > context.sequenceLength()) {
            throw new ContextFullException(
                    "The prompt has " + prompt.length + " tokens, the context holds " + context.sequenceLength()
                            + ". Shorten it, or open a longer context with ContextOptions.length().");
        }
        if (whenFull == ContextFullPolicy.SHIFT && keep >= context.sequenceLength() - 1) {
            throw new IllegalArgumentException(
                    "keep is " + keep + ", must leave room in a context of " + context.sequenceLength());
        }
        if (!context.model().hasDecoder() || context.memoryAddress() == 0) {
            throw new IllegalStateException(
                    context.model() + " cannot generate text one token after the other; for embeddings see Embedder");
        }
    }

    /**
     * The pieces of text, none of them empty.
     *
     * @throws IllegalStateException on the second call
     */
    @Override
    public Iterator<String> iterator() {
        if (iterated) {
            throw new IllegalStateException("a generation can be gone through once; text() has what came so far");
        }
        iterated = true;
        return new Pieces();
    }

    /** The pieces of text as a sequential stream. */
    public Stream<String> stream() {
        return StreamSupport.stream(
                Spliterators.spliteratorUnknownSize(
                        iterator(), Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.IMMUTABLE),
                false);
    }

    /** Generates what is still missing, and returns the whole text. */
    public String text() {
        while (!nextPiece().isEmpty()) {
            // the pieces are collected
        }
        return consumed.toString();
    }

    /** Ends the generation soon, from any thread; also while its prompt is computed. */
    public void cancel() {
        cancelled = true;
        context.cancel();
    }

    /** By the context, which also stops the computation under way. */
    void requestCancel() {
        cancelled = true;
    }

    /** The text of the pieces taken so far. */
    String textSoFar() {
        return consumed.toString();
    }

    /** Whether it was broken off by an exception. */
    boolean hasFailed() {
        return failed;
    }

    /** Why it ended; empty while it goes on. */
    public Optional<FinishReason> finishReason() {
        return Optional.ofNullable(reason);
    }

    /** The ids generated so far, with the one that ended the text. */
    public int[] tokens() {
        return Arrays.copyOf(tokens, generated);
    }

    /** The log-probabilities of the tokens generated so far; empty unless asked for. */
    public List<TokenLogprob> logprobs() {
        return List.copyOf(logprobs);
    }

    /** Tokens taken so far. */
    public Usage usage() {
        return new Usage(prompt.length, reused, generated);
    }

    /** Time taken so far. */
    public Timings timings() {
        long now = reason == null ? System.nanoTime() : finishedAt;
        boolean computed = promptDoneAt != 0;
        long promptNanos = !started ? 0 : (computed ? promptDoneAt : now) - startedAt;
        long generationNanos = computed ? now - promptDoneAt : 0;
        return new Timings(
                computed ? prompt.length - reused : 0,
                Duration.ofNanos(promptNanos),
                generated,
                Duration.ofNanos(generationNanos));
    }

    /** The next piece, empty at the end. */
    private String nextPiece() {
        while (reason == null) {
            String piece = step();
            if (!piece.isEmpty()) {
                consumed.append(piece);
                return piece;
            }
        }
        return "";
    }

    /** Computes what the next token needs, chooses it, and returns the text that is complete with it. */
    private String step() {
        try {
            if (cancelled) {
                throw new CancellationException();
            }
            if (generated >= options.maxTokens) {
                return finish(FinishReason.MAX_TOKENS);
            }
            if (!started) {
                computePrompt();
            } else if (!context.isGenerating(this)) {
                throw new IllegalStateException("another generation has begun on " + context
                        + ", so that this one cannot go on; finish one before the next");
            } else if (!computeLast()) {
                return finish(FinishReason.CONTEXT_FULL);
            }
            return choose();
        } catch (CancellationException e) {
            return finish(FinishReason.CANCELLED);
        } catch (RuntimeException e) {
            failed = true;
            throw e;
        }
    }

    private void computePrompt() {
        started = true;
        startedAt = System.nanoTime();
        context.startGeneration(this);
        sampler.begin(context.model(), prompt);
        reused = context.transcript().reuse(prompt);
        context.transcript().append(prompt, reused, prompt.length);
        position = prompt.length;
        promptDoneAt = System.nanoTime();
    }

    /** Computes the token chosen last. Returns whether there was room for it. */
    private boolean computeLast() {
        if (position == context.sequenceLength()) {
            switch (whenFull) {
                case STOP:
                    return false;
                case FAIL:
                    throw new ContextFullException("The context of " + position + " tokens is full after " + generated
                            + " generated ones. Open a longer one with ContextOptions.length(), or choose"
                            + " ContextFullPolicy.SHIFT.");
                case SHIFT:
                    position -= context.transcript().shift(keep);
            }
        }
        context.transcript().append(tokens[generated - 1], position);
        position++;
        return true;
    }

    private String choose() {
        int token = sampler.sample(context, -1);
        if (options.logprobs >= 0) {
            logprobs.add(context.logprob(-1, token, options.logprobs));
        }
        if (generated == tokens.length) {
            tokens = Arrays.copyOf(tokens, generated * 2);
        }
        tokens[generated++] = token;
        boolean end = !options.ignoreEnd && vocab.isEndOfGeneration(token);
        String piece = end && !options.showSpecial ? "" : text.accept(vocab.bytesOf(token, options.showSpecial));
        if (text.isStopped()) {
            return piece + finish(FinishReason.STOP_STRING);
        }
        return end ? piece + finish(FinishReason.END_OF_GENERATION) : piece;
    }

    /** Ends the text; returns what was held back. */
    private String finish(FinishReason why) {
        reason = why;
        finishedAt = System.nanoTime();
        return text.finish();
    }

    /** Looks one piece ahead, so that it knows whether there is a next one. */
    private final class Pieces implements Iterator<String> {

        private @Nullable String ahead;

        @Override
        public boolean hasNext() {
            if (ahead == null) {
                ahead = nextPiece();
            }
            return !ahead.isEmpty();
        }

        @Override
        public String next() {
            if (!hasNext()) {
                throw new NoSuchElementException("the text has ended: " + reason);
            }
            String piece = Objects.requireNonNull(ahead);
            ahead = null;
            return piece;
        }
    }
}
