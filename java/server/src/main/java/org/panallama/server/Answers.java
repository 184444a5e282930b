package org.panallama.server;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.panallama.FinishReason;
import org.panallama.engine.Completion;
import org.panallama.engine.Engine;
import org.panallama.engine.Piece;
import org.panallama.engine.Result;

/**
 * Answers on their way to one client, which are cancelled when it goes away. On the thread of its exchange alone, but for what the
 * engine adds.
 */
final class Answers implements AutoCloseable {

    private static final long LOOK_MILLIS = 100; // how often to look whether the client is still there

    private final Exchange exchange;
    private final ServedModel served;
    private final ServerMetrics metrics;
    private final BlockingQueue<Arrival> arrivals = new LinkedBlockingQueue<>();
    private final List<Completion> completions = new ArrayList<>();
    private final List<RequestLog.Entry> entries = new ArrayList<>();
    private final @Nullable Result[] results;
    private final boolean[] begun;
    private final long submittedAt = System.nanoTime();
    private long lookedAt = submittedAt;
    private int running;

    /**
     * A piece of an answer, or its end.
     *
     * @param index of the answer
     * @param piece {@code null} at the end
     */
    record Arrival(
            int index, @Nullable Piece piece, @Nullable Throwable failure) {}

    /**
     * Submits requests.
     *
     * @throws ApiException if there is no place in the queue for all
     * @throws org.panallama.ContextFullException if a prompt is too long
     */
    Answers(Exchange exchange, ServedModel served, String id, List<Sampling.Ask> asks, ServerMetrics metrics) {
        this.exchange = exchange;
        this.served = served;
        this.metrics = metrics;
        results = new Result[asks.size()];
        begun = new boolean[asks.size()];
        Engine engine = served.engine();
        int taken = 0;
        try {
            for (Sampling.Ask ask : asks) {
                Completion completion = engine.submit(ask.request());
                taken++;
                completions.add(completion);
                entries.add(served.requests.add(asks.size() == 1 ? id : id + "-" + entries.size(), ask.promptTokens()));
                running++;
            }
        } catch (RuntimeException e) {
            asks.subList(taken, asks.size()).forEach(ask -> ask.sampler().close());
            close();
            throw e;
        }
        for (int i = 0; i < completions.size(); i++) {
            completions.get(i).publisher().subscribe(new Arriving(i));
        }
    }

    private final class Arriving implements Flow.Subscriber<Piece> {

        private final int index;

        Arriving(int index) {
            this.index = index;
        }

        @Override
        public void onSubscribe(Flow.Subscription subscription) {
            subscription.request(Long.MAX_VALUE); // no answer is longer than the context
        }

        @Override
        public void onNext(Piece piece) {
            entries.get(index).pieces.incrementAndGet();
            arrivals.add(new Arrival(index, piece, null));
        }

        @Override
        public void onError(Throwable failure) {
            arrivals.add(new Arrival(index, null, failure));
        }

        @Override
        public void onComplete() {
            arrivals.add(new Arrival(index, null, null));
        }
    }

    /**
     * Waits for the next piece or end of any answer.
     *
     * @return {@code null} after all have ended
     * @throws ClientGoneException if the client closed the connection
     * @throws RuntimeException what an answer failed with
     */
    @Nullable Arrival next() {
        if (running == 0) {
            return null;
        }
        Arrival arrival = await();
        if (arrival.failure != null) {
            throw arrival.failure instanceof RuntimeException failure
                    ? failure
                    : new IllegalStateException(arrival.failure);
        }
        int index = arrival.index;
        if (!begun[index]) {
            begun[index] = true;
            metrics.firstToken(served.name, System.nanoTime() - submittedAt);
        }
        if (arrival.piece == null) {
            Result result = completions.get(index).join();
            results[index] = result;
            running--;
            served.requests.remove(entries.get(index));
            metrics.finished(served.name, result);
            if (result.finishReason() == FinishReason.CANCELLED) {
                throw ApiException.unavailable("The server is shutting down.");
            }
            if (result.finishReason() == FinishReason.DEADLINE && result.usage().generatedTokens() == 0) {
                throw new ApiException(
                        504, "server_error", "The request's deadline passed before its answer began.", null, "timeout");
            }
        }
        return arrival;
    }

    private Arrival await() {
        try {
            while (true) {
                Arrival arrival = arrivals.poll(LOOK_MILLIS, TimeUnit.MILLISECONDS);
                long now = System.nanoTime();
                if (arrival == null || now - lookedAt > TimeUnit.MILLISECONDS.toNanos(LOOK_MILLIS)) {
                    lookedAt = now;
                    if (exchange.isClientGone()) {
                        throw new ClientGoneException();
                    }
                }
                if (arrival != null) {
                    return arrival;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw ApiException.unavailable("The server is shutting down.");
        }
    }

    /** Waits for all answers. */
    List<Result> all() {
        while (next() != null) {
            // Each is kept whole.
        }
        List<Result> all = new ArrayList<>();
        for (int i = 0; i < results.length; i++) {
            all.add(result(i));
        }
        return all;
    }

    /** An answer that has ended. */
    Result result(int index) {
        Result result = results[index];
        if (result == null) {
            throw new IllegalStateException("answer " + index + " has not ended");
        }
        return result;
    }

    /** Cancels what has not ended. */
    @Override
    public void close() {
        completions.stream().filter(completion -> !completion.isDone()).forEach(Completion::cancel);
        entries.forEach(served.requests::remove);
    }
}
