package org.panallama.engine;

import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Tells one subscriber of an answer's pieces, one signal after the other, as the rules of Reactive Streams want it. */
final class PieceSubscription implements Flow.Subscription {

    private final Completion completion;
    private final Flow.Subscriber<? super Piece> subscriber;
    private final Executor executor;
    private final Runnable listener = this::signal;
    private final AtomicLong demand = new AtomicLong();
    private final AtomicInteger work = new AtomicInteger(); // signals that wait; who raises it from 0 works them off
    private volatile boolean cancelled;
    private volatile @Nullable Throwable misuse;
    private int next; // by the worker alone

    PieceSubscription(Completion completion, Flow.Subscriber<? super Piece> subscriber, Executor executor) {
        this.completion = completion;
        this.subscriber = Objects.requireNonNull(subscriber, "subscriber");
        this.executor = executor;
    }

    void start() {
        work.incrementAndGet(); // nothing else before onSubscribe
        subscriber.onSubscribe(this);
        completion.listen(listener);
        executor.execute(this::workOff);
    }

    @Override
    public void request(long n) {
        if (n <= 0) {
            misuse = new IllegalArgumentException("request(" + n + "), must be for 1 or more");
        } else {
            demand.accumulateAndGet(n, (have, more) -> have + more < 0 ? Long.MAX_VALUE : have + more);
        }
        signal();
    }

    /** Ends the subscription, not the request. */
    @Override
    public void cancel() {
        cancelled = true;
        completion.stopListening(listener);
    }

    private void signal() {
        if (work.getAndIncrement() == 0) {
            executor.execute(this::workOff);
        }
    }

    private void workOff() {
        int missed = work.get();
        do {
            deliver();
            missed = work.addAndGet(-missed);
        } while (missed != 0);
    }

    private void deliver() {
        while (!cancelled) {
            if (misuse != null) {
                cancel();
                subscriber.onError(misuse);
                return;
            }
            boolean done = completion.isDone(); // asked first: nothing comes after
            Piece piece = completion.peek(next);
            if (piece == null) {
                if (done) {
                    cancel();
                    RuntimeException failure = completion.failure();
                    if (failure == null) {
                        subscriber.onComplete();
                    } else {
                        subscriber.onError(failure);
                    }
                }
                return;
            }
            if (demand.get() == 0) {
                return;
            }
            demand.updateAndGet(have -> have == Long.MAX_VALUE ? have : have - 1);
            next++;
            subscriber.onNext(piece);
        }
    }
}
