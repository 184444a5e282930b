package org.panallama.tools.perplexity;

import java.io.IOException;
import java.util.stream.IntStream;
import org.panallama.FloatView;

/** Gathers rows of logits, to score many at once on all cores: with a large vocabulary, one core would be slower than the model. */
final class RowQueue {

    private static final int BYTES = 32 << 20;
    private static final int MOST_ROWS = 256;

    private final RowScoring scoring;
    private final LogitRow[] rows;
    private int filled;

    RowQueue(RowScoring scoring, int vocabSize, boolean stores) {
        this.scoring = scoring;
        int cores = Runtime.getRuntime().availableProcessors();
        rows = new LogitRow[Math.max(cores, Math.min(MOST_ROWS, BYTES / (vocabSize * Float.BYTES)))];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = new LogitRow(vocabSize, stores);
        }
    }

    /** Copies the logits that predict a token. */
    void add(FloatView logits, int next) throws IOException {
        LogitRow row = rows[filled++];
        logits.copyTo(row.logits, 0);
        row.next(next);
        scoring.prepare(row);
        if (filled == rows.length) {
            flush();
        }
    }

    /** Scores what is there. */
    void flush() throws IOException {
        IntStream.range(0, filled).parallel().forEach(i -> scoring.score(rows[i]));
        for (int i = 0; i < filled; i++) {
            scoring.collect(rows[i]);
        }
        filled = 0;
    }
}
