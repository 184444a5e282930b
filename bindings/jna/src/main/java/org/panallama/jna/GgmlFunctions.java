package org.panallama.jna;

/**
 * The functions of {@code libggml}, mapped as {@link LlamaFunctions} are.
 */
final class GgmlFunctions {

    private GgmlFunctions() {}

    static native void ggml_backend_load_all_from_path(byte[] directory);

    static native long ggml_backend_dev_count();

    static native long ggml_backend_dev_get(long index);
}
