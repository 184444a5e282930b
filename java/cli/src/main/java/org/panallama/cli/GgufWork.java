package org.panallama.cli;

import java.io.IOException;
import java.util.function.DoublePredicate;

/** Runs long work on files under a progress bar, until it is done or interrupted. */
final class GgufWork {

    private GgufWork() {}

    /** The work, which reports to the predicate and ends when that says so. */
    @FunctionalInterface
    interface Body<T> {
        T run(DoublePredicate progress) throws IOException;
    }

    static <T> T run(Streams streams, String name, Body<T> body) throws IOException {
        try (Interruption interruption = new Interruption();
                LoadingBar bar = new LoadingBar(streams.err(), interruption, name)) {
            return body.run(fraction -> bar.onProgress((float) fraction));
        }
    }
}
