package org.panallama.cli;

import java.io.PrintStream;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.function.IntConsumer;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;

/**
 * Ctrl-C, and the other signals that ask a process to end. Work that can be cancelled is, and the program comes to its own end;
 * without such work, the process ends at once. In both cases stderr says that it was interrupted, and the exit status is the
 * signal's, as usual. A second signal changes nothing.
 *
 * <p>Not a shutdown hook: the JVM ends when its hooks have, whatever the program still has to print, and runs others meanwhile
 * that delete what the work still writes. Thread-safe.
 */
final class TerminationSignals {

    private static final Map<String, Integer> NUMBERS = Map.of("HUP", 1, "INT", 2, "TERM", 15);
    private static final int STATUS = 128; // and the signal's number, by the shells' convention

    private final PrintStream err;
    private final IntConsumer exit;
    private final CountDownLatch over = new CountDownLatch(1);
    private @Nullable Interruption work; // guarded by this
    private int received; // guarded by this; 0 if there was none before the command's end
    private boolean heeded; // guarded by this
    private boolean told; // guarded by this

    /** @param exit ends the process with a status */
    TerminationSignals(PrintStream err, IntConsumer exit) {
        this.err = err;
        this.exit = exit;
    }

    /**
     * Takes the signals over from the JVM, but for those that the system does not have. One that the process was started to
     * ignore, as by {@code nohup}, stays ignored.
     */
    void handle() {
        NUMBERS.forEach((name, number) -> Signals.register(name, () -> receive(number)));
    }

    /** A signal came. Returns when the program is about to end by itself, and does not if it has to be ended. */
    void receive(int number) {
        Interruption interrupted;
        synchronized (this) {
            if (received != 0 || over.getCount() == 0) {
                return;
            }
            received = number;
            interrupted = work;
        }
        if (interrupted == null) {
            exit.accept(status(0));
        } else if (!interrupted.request(over)) {
            err.println("panallama: gave up waiting for the work to stop");
            exit.accept(status(0));
        }
    }

    /**
     * The work that the next signal interrupts.
     *
     * @throws CancellationException if there was a signal already
     */
    synchronized void begin(Interruption begun) {
        if (received != 0) {
            throw new CancellationException("interrupted");
        }
        work = begun;
    }

    synchronized void end() {
        work = null;
    }

    /** Nothing was lost by the interruption, so that it need not be told. */
    synchronized void heeded() {
        heeded = true;
    }

    /**
     * What to exit with. From here on, signals change nothing.
     *
     * @param status of the command that has ended
     */
    synchronized int status(int status) {
        over.countDown();
        if (received == 0) {
            return status;
        }
        if (!told && !heeded) {
            err.println("panallama: interrupted");
        }
        told = true;
        return STATUS + received;
    }
}
