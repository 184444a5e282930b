package org.panallama.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Work that ends when the process is asked to: what is under way is cancelled, and the command is given the time to print what it
 * has and to delete what is half done.
 */
final class Interruption implements AutoCloseable {

    private static final int GRACE_SECONDS = 10;

    private final TerminationSignals signals;
    private final int graceSeconds;
    private volatile boolean requested;
    private volatile Runnable cancellation = () -> {};

    /** @throws java.util.concurrent.CancellationException if the process was asked to end already */
    Interruption(TerminationSignals signals) {
        this(signals, GRACE_SECONDS);
    }

    /** @param graceSeconds how long the process waits for the work to stop */
    Interruption(TerminationSignals signals, int graceSeconds) {
        this.signals = signals;
        this.graceSeconds = graceSeconds;
        signals.begin(this);
    }

    /** What stops the work now under way; may be called from another thread, and at once. */
    void cancels(Runnable action) {
        cancellation = action;
        if (requested) {
            action.run();
        }
    }

    boolean requested() {
        return requested;
    }

    /** The work has come to its proper end although it was asked to stop. */
    void heeded() {
        signals.heeded();
    }

    /** Asks the work to stop, and returns whether the program was over in time. */
    boolean request(CountDownLatch over) {
        requested = true;
        cancellation.run();
        try {
            // A native computation may need a moment to notice.
            return over.await(graceSeconds, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts the thread of a signal", e);
        }
    }

    /** The work is done, and printed. */
    @Override
    public void close() {
        signals.end();
    }
}
