package org.panallama;

/** How a model is spread over several devices. */
public enum SplitMode {
    /** The whole model on one device, see {@link ModelOptions.Builder#mainDevice}. */
    NONE(0),

    /** Whole layers, with their part of the KV cache, on each device. */
    LAYER(1),

    /** Rows of each matrix on each device, where the backend supports it. */
    ROW(2),

    /** Tensor parallelism, where the backend supports it; needs flash attention. */
    TENSOR(3);

    private final int code;

    SplitMode(int code) {
        this.code = code;
    }

    /** The value in {@code llama.h}. */
    int code() {
        return code;
    }
}
