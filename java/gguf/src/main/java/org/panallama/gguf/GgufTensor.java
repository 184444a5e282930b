package org.panallama.gguf;

import java.util.List;

/**
 * A tensor of a GGUF file.
 *
 * @param name for instance {@code blk.0.attn_q.weight}; at most 63 bytes of UTF-8, which is what ggml has room for
 * @param type ggml's number of the format of its elements
 * @param shape one to four dimensions, the fastest-varying first, each at least 1
 * @param bytes size of its data
 */
public record GgufTensor(String name, int type, List<Long> shape, long bytes) {

    static final int MAX_DIMENSIONS = 4;

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public GgufTensor {
        shape = List.copyOf(shape);
        if (shape.isEmpty() || shape.size() > MAX_DIMENSIONS) {
            throw new IllegalArgumentException(
                    "tensor '" + name + "' has " + shape.size() + " dimensions, must be 1 to 4");
        }
        for (long dimension : shape) {
            if (dimension < 1) {
                throw new IllegalArgumentException(
                        "tensor '" + name + "' has the shape " + shape + ", every dimension must be at least 1");
            }
        }
        if (bytes < 1) {
            throw new IllegalArgumentException("tensor '" + name + "' has " + bytes + " bytes, must be at least 1");
        }
    }
}
