package org.panallama.gguf;

import java.util.List;

/**
 * A tensor of a GGUF file: what it is called and what it looks like. Where its data lies is up to the file.
 *
 * @param name for instance {@code blk.0.attn_q.weight}; at most 63 bytes of UTF-8, which is what ggml has room for
 * @param type ggml's number of the format of its elements
 * @param shape at most four dimensions, the fastest-varying first, each at least 1; none for a single number
 * @param bytes size of its data
 */
public record GgufTensor(String name, int type, List<Long> shape, long bytes) {

    /** How many bytes of UTF-8 ggml has room for in a name. */
    public static final int MAX_NAME_BYTES = 63;

    static final int MAX_DIMENSIONS = 4;

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public GgufTensor {
        shape = List.copyOf(shape);
        if (shape.size() > MAX_DIMENSIONS) {
            throw new IllegalArgumentException(
                    "tensor '" + name + "' has " + shape.size() + " dimensions, must be at most 4");
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

    /**
     * Describes a tensor; its size follows from type and shape.
     *
     * @param shape at most four dimensions, the fastest-varying first, each at least 1
     * @throws IllegalArgumentException if a dimension is out of range, rows are not a whole number of the type's
     *     blocks, or the size exceeds {@link Long#MAX_VALUE}
     */
    public static GgufTensor of(String name, GgmlType type, List<Long> shape) {
        try {
            return new GgufTensor(name, type.id(), shape, bytes(type, shape));
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(
                    "tensor '" + name + "': the shape " + shape + " takes more bytes than can be counted", e);
        }
    }

    private static long bytes(GgmlType type, List<Long> shape) {
        long blocks = 1;
        for (int i = 0; i < shape.size(); i++) {
            long dimension = shape.get(i);
            blocks = Math.multiplyExact(blocks, i == 0 ? dimension / type.blockSize() : dimension);
        }
        long row = shape.isEmpty() ? 1 : shape.get(0);
        if (row % type.blockSize() != 0) {
            throw new IllegalArgumentException("rows of " + row + " elements are not a whole number of " + type
                    + " blocks of " + type.blockSize());
        }
        return Math.multiplyExact(blocks, (long) type.typeSize());
    }

    /**
     * Returns the format of the elements.
     *
     * @throws IllegalArgumentException if llama.cpp v0.4.0 has no such type
     */
    public GgmlType ggmlType() {
        return GgmlType.of(type);
    }

    /** Returns the number of elements. */
    public long elements() {
        return shape.stream().reduce(1L, Math::multiplyExact);
    }

    /** Returns the size of dimension {@code i}, 1 beyond the last. */
    public long dimension(int i) {
        return i < shape.size() ? shape.get(i) : 1;
    }

    /** Returns the same tensor under another name. */
    public GgufTensor withName(String newName) {
        return new GgufTensor(newName, type, shape, bytes);
    }
}
