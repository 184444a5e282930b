package org.panallama;

import java.nio.ByteBuffer;
import java.util.Objects;
import java.util.function.LongSupplier;
import org.panallama.internal.Require;

/**
 * A read-only view of numbers that a {@link Context} put out: the logits of a token, or an embedding. It copies nothing.
 *
 * <p>It shows the output of the context's last computation; after the next one, or once the context is closed, every method
 * throws {@link IllegalStateException}. Serves the context's thread.
 */
public final class FloatView {

    private final Handle context;
    private final ByteBuffer floats;
    private final int size;
    private final long computation;
    private final LongSupplier current;

    FloatView(Handle context, ByteBuffer floats, long computation, LongSupplier current) {
        this.context = context;
        this.floats = floats;
        this.size = floats.capacity() / Float.BYTES;
        this.computation = computation;
        this.current = current;
    }

    /** How many numbers there are. */
    public int size() {
        return size;
    }

    /**
     * One number.
     *
     * @throws IndexOutOfBoundsException if {@code index} is not from 0 to {@code size() - 1}
     */
    public float get(int index) {
        Require.index("index", index, size);
        enter();
        try {
            return floats.getFloat(index * Float.BYTES);
        } finally {
            context.exit();
        }
    }

    /** Copies all numbers. */
    public float[] toArray() {
        float[] copy = new float[size];
        copyTo(copy, 0);
        return copy;
    }

    /**
     * Copies all numbers into an array.
     *
     * @throws IndexOutOfBoundsException if they do not fit behind {@code offset}
     */
    public void copyTo(float[] target, int offset) {
        Objects.checkFromIndexSize(offset, size, target.length);
        enter();
        try {
            floats.asFloatBuffer().get(target, offset, size);
        } finally {
            context.exit();
        }
    }

    /** The index of the largest number, the first one of several. */
    public int argMax() {
        enter();
        try {
            int best = 0;
            float max = Float.NEGATIVE_INFINITY;
            for (int i = 0; i < size; i++) {
                float value = floats.getFloat(i * Float.BYTES);
                if (value > max) {
                    max = value;
                    best = i;
                }
            }
            return best;
        } finally {
            context.exit();
        }
    }

    /** The logarithm of the sum of exponentials: what to subtract from a logit for its log-probability. */
    public double logSumExp() {
        enter();
        try {
            float max = Float.NEGATIVE_INFINITY;
            for (int i = 0; i < size; i++) {
                max = Math.max(max, floats.getFloat(i * Float.BYTES));
            }
            double sum = 0;
            for (int i = 0; i < size; i++) {
                sum += Math.exp(floats.getFloat(i * Float.BYTES) - max);
            }
            return max + Math.log(sum);
        } finally {
            context.exit();
        }
    }

    private void enter() {
        context.enter();
        if (current.getAsLong() != computation) {
            context.exit();
            throw new IllegalStateException(
                    "this view is of an earlier computation of the context; copy what you want to keep");
        }
    }
}
