package org.panallama.jna;

/**
 * The functions of {@code libggml-base}, mapped as {@link LlamaFunctions} are.
 */
final class GgmlBaseFunctions {

    private GgmlBaseFunctions() {}

    static native long ggml_backend_dev_name(long device);

    static native long ggml_backend_dev_description(long device);

    static native int ggml_backend_dev_type(long device);

    static native void ggml_backend_dev_memory(long device, long[] free, long[] total);

    static native long ggml_backend_dev_buffer_type(long device);

    static native long ggml_backend_dev_backend_reg(long device);

    static native long ggml_backend_reg_name(long reg);

    static native long ggml_op_name(int op);

    static native long ggml_nbytes(long tensor);

    static native void ggml_backend_tensor_get(long tensor, long data, long offset, long size);
}
