package org.panallama.cli;

import java.io.PrintStream;
import org.jline.terminal.spi.SystemStream;
import org.panallama.LoadProgress;

/** Shows on a terminal how far a model is loaded, once that takes noticeably long; and stops it when interrupted. */
final class LoadingBar implements LoadProgress, AutoCloseable {

    private static final long PATIENCE_NANOS = 1_000_000_000;
    private static final int WIDTH = 40;

    private final PrintStream err;
    private final Interruption interruption;
    private final String work;
    private final long start = System.nanoTime();
    private boolean decided;
    private boolean visible;
    private int shown = -1;

    LoadingBar(PrintStream err, Interruption interruption) {
        this(err, interruption, "loading");
    }

    /** For other long work. */
    LoadingBar(PrintStream err, Interruption interruption, String work) {
        this.err = err;
        this.interruption = interruption;
        this.work = work;
    }

    @Override
    public boolean onProgress(float fraction) {
        if (!decided && System.nanoTime() - start > PATIENCE_NANOS) {
            decided = true;
            visible = Terminals.isTerminal(SystemStream.Error);
        }
        int percent = (int) (fraction * 100);
        if (visible && percent != shown) {
            shown = percent;
            int filled = percent * WIDTH / 100;
            err.print("\r" + work + " [" + "#".repeat(filled) + " ".repeat(WIDTH - filled) + "] " + percent + " %");
        }
        return !interruption.requested();
    }

    /** Wipes the line. */
    @Override
    public void close() {
        if (visible) {
            err.print("\r" + " ".repeat(WIDTH + 20) + "\r");
        }
    }
}
