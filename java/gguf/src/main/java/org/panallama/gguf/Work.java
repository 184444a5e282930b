package org.panallama.gguf;

import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.DoublePredicate;

/** Reports how far long work is, a few hundred times at most, and ends it when told to. */
final class Work {

    /** How much to copy or read between two reports. */
    static final int PIECE = 1 << 24;

    /** How much to look at in one buffer. */
    static final int CHUNK = 1 << 20;

    private static final double STEP = 1 / 256.0;

    private final DoublePredicate progress;
    private final double total;
    private double done;
    private double reported = -1;

    /**
     * Begins.
     *
     * @param total in bytes
     * @param progress gets the fraction done; {@code false} cancels
     */
    Work(long total, DoublePredicate progress) {
        this.total = Math.max(1, total);
        this.progress = progress;
        report();
    }

    /** Work on all data of some tensors. */
    static Work on(List<GgufTensor> tensors, DoublePredicate progress) {
        return new Work(tensors.stream().mapToLong(GgufTensor::bytes).sum(), progress);
    }

    /** Work that nobody watches. */
    static Work unwatched() {
        return new Work(1, fraction -> true);
    }

    /**
     * Counts.
     *
     * @throws CancellationException if the work is to end
     */
    void done(long bytes) {
        done += bytes;
        if (done / total >= reported + STEP || done >= total && reported < 1) {
            report();
        }
    }

    private void report() {
        reported = Math.min(1, done / total);
        if (!progress.test(reported)) {
            throw new CancellationException("cancelled");
        }
    }
}
