package org.panallama.tools.lora;

import java.util.concurrent.CancellationException;
import org.panallama.tools.Progress;

/** Reports how many of some bytes are written, a few hundred times at most, and ends the work when told to. */
final class ByteCount {

    private static final int UPDATES = 200;

    private final long total;
    private final Progress progress;
    private long done;
    private long next;

    ByteCount(long total, Progress progress) {
        this.total = total;
        this.progress = progress;
    }

    void add(long bytes) {
        done += bytes;
        if (done >= next) {
            next = done + total / UPDATES;
            if (!progress.onProgress(Math.min(1, (double) done / total))) {
                throw new CancellationException("the work was cancelled");
            }
        }
    }
}
