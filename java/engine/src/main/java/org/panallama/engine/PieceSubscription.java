package org.panallama.engine;

import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells one subscriber of an answer's pieces, one signal after the other, as the rules of Reactive Streams want it. */
final class PieceSubscription implements Flow.Subscription {

    private static final Logger LOG = LoggerFactory.getLogger(PieceSubscription.class);

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
        if (cancelled) {
            completion.stopListening(listener); // it was before it listened
        }
        Tell.on(executor, this::workOff);
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
            Tell.on(executor, this::workOff);
        }
    }

    private void workOff() {
        int missed = work.get();
        do {
            try {
                deliver();
            } catch (RuntimeException | Error e) {
                cancel(); // rule 2.13: what throws is not told any more
                LOG.warn("A subscriber of an answer has thrown, and is not told any more", e);
            }
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
