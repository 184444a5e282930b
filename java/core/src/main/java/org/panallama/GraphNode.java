package org.panallama;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.Require;
import org.panallama.spi.Binding;

/**
 * A tensor of the graph that a context computes: an operation's result, or a weight or input that it is made from. Valid only
 * during the call of a {@link NodeObserver} that it was handed to, and for its thread.
 */
public final class GraphNode {

    /** How many dimensions every tensor has; the ones that it does not need have one element. */
    public static final int DIMENSIONS = 4;

    private static final int SOURCES = 10; // GGML_MAX_SRC

    private final Observation observation;
    private final Binding binding;
    private final long address;
    private final long call;

    GraphNode(Observation observation, Binding binding, long address) {
        this.observation = observation;
        this.binding = binding;
        this.address = address;
        this.call = observation.call();
    }

    /** llama.cpp's name of the operation that computes the tensor, such as {@code MUL_MAT}; {@code NONE} for a weight. */
    public String operation() {
        return observation.operationName(binding.tensorOperation(valid()));
    }

    /** The name, for instance {@code blk.0.attn_q.weight} or {@code ffn_moe_gate-3}. */
    public String name() {
        return binding.tensorName(valid());
    }

    /** The number format. */
    public TensorType type() {
        return TensorType.of(binding.tensorType(valid()));
    }

    /**
     * Elements along a dimension, the fastest-varying first.
     *
     * @throws IndexOutOfBoundsException unless {@code dimension} is from 0 to 3
     */
    public long dimension(int dimension) {
        Require.index("dimension", dimension, DIMENSIONS);
        return binding.tensorDimension(valid(), dimension);
    }

    /**
     * Bytes from one element to the next along a dimension.
     *
     * @throws IndexOutOfBoundsException unless {@code dimension} is from 0 to 3
     */
    public long stride(int dimension) {
        Require.index("dimension", dimension, DIMENSIONS);
        return binding.tensorStride(valid(), dimension);
    }

    /**
     * What the node is computed from: of {@code MUL_MAT} the matrix and the vectors, of {@code MUL_MAT_ID} the experts' matrices,
     * the vectors, and the number of the expert for each.
     *
     * @param index from 0 to 9
     * @return {@code null} where there is none
     * @throws IndexOutOfBoundsException unless {@code index} is from 0 to 9
     */
    public @Nullable GraphNode source(int index) {
        Require.index("source", index, SOURCES);
        long source = binding.tensorSource(valid(), index);
        return source == 0 ? null : new GraphNode(observation, binding, source);
    }

    /** The bytes from the first element to the end of the last. */
    public long bytes() {
        return binding.tensorBytes(valid());
    }

    /**
     * Copies bytes of the tensor, from wherever they are.
     *
     * @param to a direct buffer, filled from its position to its limit; both stay
     * @param offset where to begin, in bytes
     * @throws IllegalArgumentException if the buffer is not direct, or the tensor has fewer bytes
     * @throws IllegalStateException if the tensor was not computed yet
     */
    public void read(ByteBuffer to, long offset) {
        if (!to.isDirect() || to.isReadOnly()) {
            throw new IllegalArgumentException("the buffer must be direct and writable");
        }
        observation.requireComputed();
        if (offset < 0 || offset > bytes() - to.remaining()) {
            throw new IllegalArgumentException("bytes " + offset + " to " + (offset + to.remaining())
                    + " are not within the " + bytes() + " of " + name());
        }
        binding.tensorRead(valid(), to, offset);
    }

    private long valid() {
        if (call != observation.call()) {
            throw new IllegalStateException("a node of the graph can be used only in the call that it was handed to");
        }
        return address;
    }
}
