package org.panallama.tools.perplexity;

import java.io.IOException;

/** Likelihoods, and every row into a file. */
final class RecordingScoring extends LikelihoodScoring {

    private final LogitsFile.Recorder recorder;

    RecordingScoring(LogitsFile.Recorder recorder) {
        this.recorder = recorder;
    }

    @Override
    public void score(LogitRow row) {
        super.score(row);
        row.encode();
    }

    @Override
    public void collect(LogitRow row) throws IOException {
        super.collect(row);
        recorder.write(row);
    }
}
