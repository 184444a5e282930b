package org.panallama.engine;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.Flow;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * An answer on its way. Everything that came is kept, so that any number of threads can take it, each from the beginning: as an
 * iterator that waits, as a publisher, as a future, or whole. Thread-safe.
 */
public final class Completion implements Iterable<Piece> {

    private final Executor executor;
    private final Runnable wakeEngine;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition came = lock.newCondition(); // a piece, or the end
    private final Condition ended =
            lock.newCondition(); // apart, so that who wants all of it is not woken for every piece
    private final List<Piece> pieces = new ArrayList<>(); // guarded by lock
    private final List<Runnable> listeners = new ArrayList<>(); // guarded by lock
    private @Nullable Result result; // guarded by lock
    private @Nullable RuntimeException failure; // guarded by lock
    private final CompletableFuture<Result> future = new CompletableFuture<>();
    private volatile boolean cancelRequested;

    /**
     * @param executor tells futures and publishers, so that none of their code runs on the engine's thread
     * @param wakeEngine called when a cancellation waits
     */
    Completion(Executor executor, Runnable wakeEngine) {
        this.executor = executor;
        this.wakeEngine = wakeEngine;
        future.whenComplete((answer, thrown) -> {
            if (future.isCancelled()) {
                cancel();
            }
        });
    }

    /**
     * Waits for the whole answer. A cancelled one has the part that came.
     *
     * @throws RuntimeException what the request failed with
     */
    public Result join() {
        lock.lock();
        try {
            while (result == null && failure == null) {
                ended.awaitUninterruptibly();
            }
            if (failure != null) {
                throw failure;
            }
            return Objects.requireNonNull(result);
        } finally {
            lock.unlock();
        }
    }

    /** The whole answer to come. Cancelling the future cancels the request. */
    public CompletableFuture<Result> future() {
        return future;
    }

    /** Ends the request soon. Its result has what came, with {@link org.panallama.FinishReason#CANCELLED}. */
    public void cancel() {
        cancelRequested = true;
        wakeEngine.run();
    }

    /** Whether the answer has ended, or the request has failed. */
    public boolean isDone() {
        lock.lock();
        try {
            return result != null || failure != null;
        } finally {
            lock.unlock();
        }
    }

    /**
     * The pieces from the beginning; waits for those that have not come yet.
     *
     * <p>The iterator throws what the request failed with, and {@link CancellationException} if its thread is interrupted, which
     * does not cancel the request.
     */
    @Override
    public Iterator<Piece> iterator() {
        return new Pieces();
    }

    /** The pieces from the beginning, to each subscriber as many as it asks for. */
    public Flow.Publisher<Piece> publisher() {
        return subscriber -> new PieceSubscription(this, subscriber, executor).start();
    }

    boolean isCancelRequested() {
        return cancelRequested;
    }

    void add(Piece piece) {
        change(() -> pieces.add(piece));
    }

    void complete(Result whole) {
        change(() -> result = whole);
        Tell.on(executor, () -> future.complete(whole));
    }

    void fail(RuntimeException cause) {
        change(() -> failure = cause);
        Tell.on(executor, () -> future.completeExceptionally(cause));
    }

    private void change(Runnable change) {
        List<Runnable> told;
        lock.lock();
        try {
            change.run();
            came.signalAll();
            if (result != null || failure != null) {
                ended.signalAll();
            }
            told = listeners.isEmpty() ? List.of() : List.copyOf(listeners);
        } finally {
            lock.unlock();
        }
        told.forEach(Runnable::run);
    }

    /** Calls the listener, on the engine's thread, whenever something came. */
    void listen(Runnable listener) {
        lock.lock();
        try {
            listeners.add(listener);
        } finally {
            lock.unlock();
        }
    }

    void stopListening(Runnable listener) {
        lock.lock();
        try {
            listeners.remove(listener);
        } finally {
            lock.unlock();
        }
    }

    /** The piece of that index, {@code null} if it has not come, or never will. */
    @Nullable Piece peek(int index) {
        lock.lock();
        try {
            return index < pieces.size() ? pieces.get(index) : null;
        } finally {
            lock.unlock();
        }
    }

    @Nullable RuntimeException failure() {
        lock.lock();
        try {
            return failure;
        } finally {
            lock.unlock();
        }
    }

    private final class Pieces implements Iterator<Piece> {

        private int next;

        @Override
        public boolean hasNext() {
            try {
                lock.lockInterruptibly();
            } catch (InterruptedException e) {
                throw interrupted();
            }
            try {
                while (next == pieces.size() && result == null && failure == null) {
                    came.await();
                }
                if (next == pieces.size() && failure != null) {
                    throw failure;
                }
                return next < pieces.size();
            } catch (InterruptedException e) {
                throw interrupted();
            } finally {
                lock.unlock();
            }
        }

        private CancellationException interrupted() {
            Thread.currentThread().interrupt();
            return new CancellationException("interrupted while waiting for the answer");
        }

        @Override
        public Piece next() {
            if (!hasNext()) {
                throw new NoSuchElementException("the answer has ended");
            }
            return Objects.requireNonNull(peek(next++));
        }
    }
}
