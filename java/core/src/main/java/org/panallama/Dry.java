package org.panallama;

import java.util.List;
import org.panallama.internal.Require;

/**
 * Settings of the DRY sampler, which penalises tokens that would extend a repetition (p-e-w,
 * oobabooga/text-generation-webui#5677).
 *
 * @param multiplier strength of the penalty, 0 or more; 0.8 is usual, 0 turns it off
 * @param base growth of the penalty with each token of the repetition, 1 or more; 1.75 is usual
 * @param allowedLength tokens that may repeat unpunished, 0 or more; 2 is usual
 * @param lastN tokens to look back, 1 or more
 * @param sequenceBreakers texts that a repetition does not reach across
 */
public record Dry(float multiplier, float base, int allowedLength, int lastN, List<String> sequenceBreakers) {

    private static final int MAX_LOOK_BACK = 1 << 20;

    /**
     * @throws IllegalArgumentException if a value is out of its range
     */
    public Dry {
        Require.inRange("multiplier", multiplier, 0, Float.MAX_VALUE);
        Require.inRange("base", base, 1, Float.MAX_VALUE);
        Require.inRange("allowedLength", allowedLength, 0, Integer.MAX_VALUE);
        Require.inRange("lastN", lastN, 1, MAX_LOOK_BACK);
        sequenceBreakers = List.copyOf(sequenceBreakers);
        for (String breaker : sequenceBreakers) {
            if (Require.noNul("sequence breaker", breaker).isEmpty()) {
                throw new IllegalArgumentException("a sequence breaker is empty");
            }
        }
    }

    /** The usual settings, over the last 1024 tokens, broken by line feeds, colons, quotes and asterisks. */
    public static Dry usual() {
        return new Dry(0.8f, 1.75f, 2, 1024, List.of("\n", ":", "\"", "*"));
    }
}
