package org.panallama.engine;

import java.util.concurrent.CountDownLatch;
import org.panallama.CustomSampler;
import org.panallama.Sampler;

/** Greedy answers that come when a test wants them to, however fast or busy the machine is. */
final class Pace {

    /** Tokens of a context that a {@link #slow} answer takes longer to fill than any test may last. */
    static final int ENDLESS = 16_384;

    private static final int MILLIS = 25;

    private Pace() {}

    /** An answer that goes on, and lets the engine go on, until it is cancelled. */
    static Sampler slow() {
        return greedy(candidates -> {
            try {
                Thread.sleep(MILLIS);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    /** An answer that holds its engine up at the first token, until the latch is open. */
    static Sampler heldBy(CountDownLatch latch) {
        return greedy(candidates -> {
            try {
                latch.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private static Sampler greedy(CustomSampler pause) {
        return Sampler.builder().temperature(0).custom(pause).build();
    }
}
