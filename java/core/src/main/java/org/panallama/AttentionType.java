package org.panallama;

/** Which tokens a token attends to. */
public enum AttentionType {
    /** As the model's metadata says. */
    FROM_MODEL(-1),

    /** The ones before it. */
    CAUSAL(0),

    /** All tokens of the batch, for embedding models. */
    NON_CAUSAL(1);

    private final int code;

    AttentionType(int code) {
        this.code = code;
    }

    /** The value in {@code llama.h}. */
    int code() {
        return code;
    }
}
