package org.panallama.tools.safetensors;

import java.util.List;

/**
 * What a file says about a tensor.
 *
 * @param name for instance {@code model.embed_tokens.weight}
 * @param type format of its elements
 * @param shape dimensions, the slowest-varying first (rows, then columns); none for a single number
 */
public record SafetensorsEntry(String name, SafetensorsType type, List<Long> shape) {

    /** PyTorch's own limit; a hostile header could claim millions. */
    static final int MAX_DIMENSIONS = 64;

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if a dimension is negative, there are more than 64, or the size overflows 63 bits or
     *     ends within a byte
     */
    public SafetensorsEntry {
        shape = List.copyOf(shape);
        if (shape.size() > MAX_DIMENSIONS) {
            throw new IllegalArgumentException(
                    "tensor '" + name + "' has " + shape.size() + " dimensions, must be at most " + MAX_DIMENSIONS);
        }
        long bits = type.bits();
        try {
            for (long dimension : shape) {
                if (dimension < 0) {
                    throw new IllegalArgumentException(
                            "tensor '" + name + "' has the shape " + shape + ", every dimension must be at least 0");
                }
                bits = Math.multiplyExact(bits, dimension);
            }
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(
                    "tensor '" + name + "' has the shape " + shape + ", which is more than any file holds", e);
        }
        if (bits % Byte.SIZE != 0) {
            throw new IllegalArgumentException("tensor '" + name + "' of type " + type.name() + " has the shape "
                    + shape + ", which does not end at a whole byte");
        }
    }

    /** Number of elements. */
    public long elements() {
        long product = 1;
        for (long dimension : shape) {
            product *= dimension;
        }
        return product;
    }

    /** Size of the data. */
    public long bytes() {
        // Dividing first would lose the types below 8 bits, multiplying is checked in the constructor.
        return elements() * type.bits() / Byte.SIZE;
    }
}
