package org.panallama.tools.lora;

import java.nio.file.Path;

/**
 * An adapter and how much of it is merged.
 *
 * @param location folder as PEFT saves it, or, for a base in GGUF format, an adapter in GGUF format
 * @param weight 1 for what it was trained for; any other finite number scales its change to the base
 */
public record WeightedAdapter(Path location, float weight) {

    /**
     * Checks the weight.
     *
     * @throws IllegalArgumentException if it is not finite
     */
    public WeightedAdapter {
        if (!Float.isFinite(weight)) {
            throw new IllegalArgumentException("weight of " + location + " is " + weight + ", must be a finite number");
        }
    }

    /** At its full weight. */
    public static WeightedAdapter of(Path location) {
        return new WeightedAdapter(location, 1);
    }
}
