package org.panallama.cli;

import java.util.function.DoublePredicate;

/** Runs long work under a progress bar, until it is done or interrupted. */
final class LongWork {

    private LongWork() {}

    /** The work, which reports to the predicate and ends when that says so. */
    @FunctionalInterface
    interface Body<T, X extends Exception> {
        T run(DoublePredicate progress) throws X;
    }

    static <T, X extends Exception> T run(Streams streams, String name, Body<T, X> body) throws X {
        try (Interruption interruption = new Interruption(streams.signals())) {
            return run(streams, interruption, name, body);
        }
    }

    /** A part of what an interruption ends. */
    static <T, X extends Exception> T run(Streams streams, Interruption interruption, String name, Body<T, X> body)
            throws X {
        try (LoadingBar bar = new LoadingBar(streams.err(), interruption, name)) {
            return body.run(fraction -> bar.onProgress((float) fraction));
        }
    }
}
