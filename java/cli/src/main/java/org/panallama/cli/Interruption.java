package org.panallama.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ctrl-C while a command works: cancels what is under way, and gives the command the time to print what it has before the
 * process ends. The exit status is the signal's then, as usual.
 */
final class Interruption implements AutoCloseable {

    private static final int GRACE_SECONDS = 10;

    private final CountDownLatch done = new CountDownLatch(1);
    private final Thread hook = new Thread(this::interrupt, "interrupt");
    private final int graceSeconds;
    private volatile boolean requested;
    private volatile Runnable cancellation = () -> {};

    Interruption() {
        this(GRACE_SECONDS);
    }

    /** @param graceSeconds how long the process waits for the work to stop */
    Interruption(int graceSeconds) {
        this.graceSeconds = graceSeconds;
        Runtime.getRuntime().addShutdownHook(hook);
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

    private void interrupt() {
        requested = true;
        cancellation.run();
        try {
            // A native computation may need a moment to notice.
            if (!done.await(graceSeconds, TimeUnit.SECONDS)) {
                System.err.println("panallama: gave up waiting for the work to stop");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The work is done, and printed. */
    @Override
    public void close() {
        done.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending: the hook runs.
        }
    }
}
