package org.panallama.jna;

import static org.panallama.jna.NativeMemory.ALL;
import static org.panallama.jna.NativeMemory.POINTER_BYTES;
import static org.panallama.jna.NativeMemory.text;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import org.panallama.spi.TensorCalls;

/** Reads {@code ggml_tensor} where its fields are: a structure of JNA's would read all of them for each. */
abstract class JnaTensors extends JnaContexts implements TensorCalls {

    private static final long TYPE = 0;
    private static final long DIMENSIONS = 16;
    private static final long STRIDES = DIMENSIONS + 4 * Long.BYTES;
    private static final long OPERATION = STRIDES + 4 * Long.BYTES;
    private static final long SOURCES = 152;
    private static final long NAME = 256;

    @Override
    public int tensorType(long tensor) {
        return ALL.getInt(tensor + TYPE);
    }

    @Override
    public int tensorOperation(long tensor) {
        return ALL.getInt(tensor + OPERATION);
    }

    @Override
    public String operationName(int operation) {
        return text(GgmlBaseFunctions.ggml_op_name(operation));
    }

    @Override
    public String tensorName(long tensor) {
        return text(tensor + NAME);
    }

    @Override
    public long tensorSource(long tensor, int index) {
        return ALL.getLong(tensor + SOURCES + (long) index * POINTER_BYTES);
    }

    @Override
    public long tensorDimension(long tensor, int dimension) {
        return ALL.getLong(tensor + DIMENSIONS + (long) dimension * Long.BYTES);
    }

    @Override
    public long tensorStride(long tensor, int dimension) {
        return ALL.getLong(tensor + STRIDES + (long) dimension * Long.BYTES);
    }

    @Override
    public long tensorBytes(long tensor) {
        return GgmlBaseFunctions.ggml_nbytes(tensor);
    }

    @Override
    public void tensorRead(long tensor, ByteBuffer to, long offset) {
        long start = Pointer.nativeValue(Native.getDirectBufferPointer(to)) + to.position();
        GgmlBaseFunctions.ggml_backend_tensor_get(tensor, start, offset, to.remaining());
    }
}
