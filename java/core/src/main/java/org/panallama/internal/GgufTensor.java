package org.panallama.internal;

import java.util.List;
import org.panallama.TensorType;

/**
 * What a GGUF file says of one tensor.
 *
 * @param name the name, for instance {@code blk.0.attn_q.weight}
 * @param type the number format
 * @param shape the dimensions, the fastest-varying first, at most four
 * @param offset where the data begins, in bytes from the file's data section
 * @param bytes size of the data
 */
public record GgufTensor(String name, TensorType type, List<Long> shape, long offset, long bytes) {

    /** Returns the number of elements. */
    public long elements() {
        return shape.stream().reduce(1L, (a, b) -> a * b);
    }

    /** Returns the size of a dimension, 1 beyond the last. */
    public long dimension(int i) {
        return i < shape.size() ? shape.get(i) : 1;
    }
}
