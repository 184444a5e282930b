package org.panallama.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.panallama.Context;
import org.panallama.FinishReason;
import org.panallama.Model;
import org.panallama.Timings;
import org.panallama.TokenLogprob;
import org.panallama.Usage;
import org.panallama.Vocab;
import org.panallama.internal.AnswerText;
import org.panallama.internal.TokenHistory;

/** A request with the state of its answer. On the engine's thread alone, once it is submitted. */
final class Task {

    final EngineRequest request;
    final Completion completion;
    final TokenHistory tokens = new TokenHistory(); // prompt and answer
    private final Vocab vocab;
    private final Runnable freePlace;
    private final AnswerText text;
    private final StringBuilder whole = new StringBuilder();
    private final List<TokenLogprob> logprobs = new ArrayList<>();
    private final long submittedAt = System.nanoTime();
    private long startedAt;
    private long firstTokenAt;
    private int reused;
    private int computedPrompt;
    int drafted;
    int accepted;

    /** @param freePlace gives the request's place to others, before anybody is told that it has ended */
    Task(EngineRequest request, Completion completion, Vocab vocab, Runnable freePlace) {
        this.request = request;
        this.completion = completion;
        this.vocab = vocab;
        this.freePlace = freePlace;
        this.text = new AnswerText(request.stop, request.stripLeadingSpace);
        tokens.append(request.prompt, 0, request.prompt.length);
    }

    int generated() {
        return tokens.size() - request.prompt.length;
    }

    /** Why it ends without its next token: {@code null} if it does not. */
    @Nullable FinishReason ended(long now) {
        if (completion.isCancelRequested()) {
            return FinishReason.CANCELLED;
        }
        return now - submittedAt > request.deadlineNanos ? FinishReason.DEADLINE : null;
    }

    boolean hasBegun() {
        return startedAt != 0;
    }

    /** Leaves the queue. Does nothing the second time, after it had to make room for others. */
    void begin(Model model) {
        if (startedAt == 0) {
            request.sampler.begin(model, request.prompt);
            startedAt = System.nanoTime();
            reused = -1;
        }
    }

    /** @param remembered tokens of the prompt that need not be computed */
    void placed(int remembered) {
        if (reused < 0) {
            reused = remembered;
            computedPrompt = request.prompt.length - remembered;
        }
    }

    /**
     * Chooses the next token and passes its text on.
     *
     * @param index of the output that it follows
     * @return why the answer ends with it, {@code null} if it goes on
     */
    @Nullable FinishReason choose(Context context, int index) {
        int token = request.sampler.sample(context, index);
        if (firstTokenAt == 0) {
            firstTokenAt = System.nanoTime();
        }
        tokens.append(token);
        List<TokenLogprob> logprob =
                request.logprobs < 0 ? List.of() : List.of(context.logprob(index, token, request.logprobs));
        logprobs.addAll(logprob);
        boolean end = !request.ignoreEndOfGeneration && vocab.isEndOfGeneration(token);
        boolean shown = request.showSpecial || request.shownTokens.contains(token);
        String piece = end && !shown ? "" : text.accept(vocab.pieceBytes(token, shown));
        if (!piece.isEmpty() || !logprob.isEmpty()) {
            emit(piece, logprob);
        }
        if (text.isStopped()) {
            return FinishReason.STOP_STRING;
        }
        if (end) {
            return FinishReason.END_OF_GENERATION;
        }
        return generated() >= request.maxTokens ? FinishReason.MAX_TOKENS : null;
    }

    private void emit(String piece, List<TokenLogprob> logprob) {
        whole.append(piece);
        completion.add(new Piece(piece, logprob));
    }

    void finish(FinishReason reason) {
        try {
            request.sampler.close();
        } finally {
            complete(reason);
        }
    }

    private void complete(FinishReason reason) {
        String rest = text.finish();
        if (!rest.isEmpty()) {
            emit(rest, List.of());
        }
        long now = System.nanoTime();
        long begun = startedAt == 0 ? now : startedAt;
        long promptDone = firstTokenAt == 0 ? now : firstTokenAt;
        Result result = new Result(
                whole.toString(),
                tokens.toArray(request.prompt.length, tokens.size()),
                List.copyOf(logprobs),
                reason,
                new Usage(request.prompt.length, Math.max(0, reused), generated()),
                new Timings(
                        firstTokenAt == 0 ? 0 : computedPrompt,
                        Duration.ofNanos(promptDone - begun),
                        generated(),
                        Duration.ofNanos(now - promptDone)),
                Duration.ofNanos(begun - submittedAt),
                drafted,
                accepted);
        freePlace.run();
        completion.complete(result);
    }

    void fail(RuntimeException cause) {
        try {
            request.sampler.close();
        } finally {
            freePlace.run();
            completion.fail(cause);
        }
    }
}
