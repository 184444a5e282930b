package org.panallama;

/** Whether attention is computed by the fused kernel, which needs less memory and allows a quantized V cache. */
public enum FlashAttention {
    /** Wherever every device of the model supports it. */
    AUTO(-1),

    /** Never. */
    OFF(0),

    /** Always; a device without support falls back to the CPU. */
    ON(1);

    private final int code;

    FlashAttention(int code) {
        this.code = code;
    }

    /** The value in {@code llama.h}. */
    int code() {
        return code;
    }
}
