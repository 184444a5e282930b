package org.panallama.tools.quantize;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.panallama.TensorType;

/**
 * What quantization does to a tensor.
 *
 * @param name its name in the output, which is another than in the input where layers before it are left out
 * @param shape the dimensions, the fastest-varying first
 * @param from the format it has
 * @param to the format it gets
 * @param wanted the format it would have got if its rows were a whole number of that format's blocks, or {@code null} if they
 *     are
 */
public record TensorPlan(
        String name,
        List<Long> shape,
        TensorType from,
        TensorType to,
        @Nullable TensorType wanted) {

    /** Copies the list. */
    public TensorPlan {
        shape = List.copyOf(shape);
    }

    /** The number of elements. */
    public long elements() {
        return shape.stream().reduce(1L, Math::multiplyExact);
    }

    /** Bytes in the input. */
    public long bytesBefore() {
        return from.bytes(elements());
    }

    /** Bytes in the output. */
    public long bytesAfter() {
        return to.bytes(elements());
    }

    /** Whether it changes. */
    public boolean converts() {
        return from != to;
    }

    /** The columns of all its experts' matrices. */
    long importanceSize() {
        return dimension(0) * dimension(2);
    }

    long dimension(int i) {
        return i < shape.size() ? shape.get(i) : 1;
    }
}
