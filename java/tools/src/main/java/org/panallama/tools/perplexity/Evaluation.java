package org.panallama.tools.perplexity;

import java.io.IOException;
import java.util.concurrent.CancellationException;
import org.panallama.Batch;
import org.panallama.Context;
import org.panallama.tools.Progress;

/**
 * Computes the windows of a text: several at once as sequences where they are short, in pieces where they are long.
 *
 * @param context to compute in
 * @param windows of the text
 */
record Evaluation(Context context, Windows windows) {

    void run(RowQueue queue, Progress progress) throws IOException {
        int together = context.sequences();
        long done = 0;
        try (Batch batch = Batch.tokens(context.batchSize())) {
            for (int first = 0; first < windows.count(); first += together) {
                int last = Math.min(windows.count(), first + together);
                context.memory().clear();
                for (int from = 0; from < windows.length(); from += pieceLength()) {
                    int to = Math.min(windows.length(), from + pieceLength());
                    compute(batch, first, last, from, to, queue);
                    done += (long) (last - first) * (to - from);
                    if (!progress.onProgress((double) done / windows.count() / windows.length())) {
                        throw new CancellationException("the measurement of perplexity was cancelled");
                    }
                }
            }
        }
        queue.flush();
    }

    private int pieceLength() {
        return context.batchSize() / context.sequences();
    }

    private void compute(Batch batch, int first, int last, int from, int to, RowQueue queue) throws IOException {
        batch.clear();
        for (int window = first; window < last; window++) {
            for (int position = from; position < to; position++) {
                batch.add(windows.token(window, position), position, window - first, windows.isScored(position));
            }
        }
        context.decode(batch);
        int index = 0;
        for (int window = first; window < last; window++) {
            for (int position = from; position < to; position++, index++) {
                if (windows.isScored(position)) {
                    queue.add(context.logits(index), windows.next(window, position));
                }
            }
        }
    }
}
