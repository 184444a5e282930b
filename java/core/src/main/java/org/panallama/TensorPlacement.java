package org.panallama;

import java.util.Objects;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.panallama.internal.Require;

/**
 * Keeps the tensors whose name matches a pattern in the memory of one device.
 *
 * @param pattern a regular expression, searched for anywhere in the name (ECMAScript syntax, as llama.cpp reads it)
 * @param device the name of a {@link Device}, for example {@code CPU}
 */
public record TensorPlacement(String pattern, String device) {

    private static final String EXPERTS = "ffn_(up|down|gate|gate_up)_(ch|)exps";

    /**
     * @throws IllegalArgumentException if the pattern is empty or malformed
     */
    public TensorPlacement {
        Objects.requireNonNull(device, "device");
        if (pattern.isEmpty()) {
            throw new IllegalArgumentException("pattern is empty; it would match every tensor. Use \".*\" for that");
        }
        try {
            Pattern.compile(pattern);
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    "pattern \"" + pattern + "\" is not a regular expression: " + e.getMessage(), e);
        }
    }

    /** The experts of every layer on the CPU: the big, sparsely used part of a mixture-of-experts model. */
    public static TensorPlacement expertsOnCpu() {
        return new TensorPlacement("\\." + EXPERTS, "CPU");
    }

    /**
     * The experts of one layer on the CPU.
     *
     * @param layer from 0
     */
    public static TensorPlacement expertsOnCpu(int layer) {
        Require.inRange("layer", layer, 0, Integer.MAX_VALUE);
        return new TensorPlacement("blk\\." + layer + "\\." + EXPERTS, "CPU");
    }
}
