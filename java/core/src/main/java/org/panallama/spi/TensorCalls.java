package org.panallama.spi;

import java.nio.ByteBuffer;

/** {@code ggml_tensor}: the nodes of a graph that an {@link EvaluationSink} is shown, and their sources. */
public interface TensorCalls {

    /** A {@code ggml_type}. */
    int tensorType(long tensor);

    /** A {@code ggml_op}. */
    int tensorOperation(long tensor);

    /** {@code ggml_op_name}. */
    String operationName(int operation);

    String tensorName(long tensor);

    /**
     * What the node is computed from.
     *
     * @param index from 0 to 9
     * @return 0 where there is none
     */
    long tensorSource(long tensor, int index);

    /** Elements along a dimension, 0 to 3; the fastest-varying is the first. */
    long tensorDimension(long tensor, int dimension);

    /** Bytes from one element to the next along a dimension, 0 to 3. */
    long tensorStride(long tensor, int dimension);

    /** {@code ggml_nbytes}. */
    long tensorBytes(long tensor);

    /**
     * {@code ggml_backend_tensor_get}: copies from the tensor's device.
     *
     * @param to a direct buffer, filled from its position to its limit, which stay
     * @param offset of the first byte, from the tensor's beginning
     */
    void tensorRead(long tensor, ByteBuffer to, long offset);
}
