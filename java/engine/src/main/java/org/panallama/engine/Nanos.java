package org.panallama.engine;

import java.time.Duration;

/** A duration in nanoseconds: the longest that a number holds, 292 years, in place of a longer one. */
final class Nanos {

    private Nanos() {}

    static long of(Duration duration) {
        try {
            return duration.toNanos();
        } catch (ArithmeticException e) {
            return duration.isNegative() ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
    }
}
