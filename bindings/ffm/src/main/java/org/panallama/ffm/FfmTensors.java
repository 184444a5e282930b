package org.panallama.ffm;

import static org.panallama.ffm.NativeMemory.pointer;
import static org.panallama.ffm.NativeMemory.text;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.panallama.ffm.generated.ggml_tensor;
import org.panallama.ffm.generated.llama_h;
import org.panallama.spi.TensorCalls;

abstract class FfmTensors extends FfmContexts implements TensorCalls {

    @Override
    public int tensorType(long tensor) {
        return ggml_tensor.type(struct(tensor));
    }

    @Override
    public int tensorOperation(long tensor) {
        return ggml_tensor.op(struct(tensor));
    }

    @Override
    public String operationName(int operation) {
        return text(llama_h.ggml_op_name(operation));
    }

    @Override
    public String tensorName(long tensor) {
        return ggml_tensor.name(struct(tensor)).getString(0);
    }

    @Override
    public long tensorSource(long tensor, int index) {
        return ggml_tensor.src(struct(tensor), index).address();
    }

    @Override
    public long tensorDimension(long tensor, int dimension) {
        return ggml_tensor.ne(struct(tensor), dimension);
    }

    @Override
    public long tensorStride(long tensor, int dimension) {
        return ggml_tensor.nb(struct(tensor), dimension);
    }

    @Override
    public long tensorBytes(long tensor) {
        return llama_h.ggml_nbytes(pointer(tensor));
    }

    @Override
    public void tensorRead(long tensor, ByteBuffer to, long offset) {
        llama_h.ggml_backend_tensor_get(pointer(tensor), MemorySegment.ofBuffer(to), offset, to.remaining());
    }

    private static MemorySegment struct(long tensor) {
        return NativeMemory.at(tensor, ggml_tensor.sizeof());
    }
}
