package org.panallama;

/** How the embeddings of a text's tokens become one vector. */
public enum Pooling {
    /** As the model's metadata says. */
    FROM_MODEL(-1),

    /** One vector for each token. */
    NONE(0),

    /** The mean over the tokens. */
    MEAN(1),

    /** The vector of the first token. */
    CLS(2),

    /** The vector of the last token. */
    LAST(3),

    /** The score of the model's classification head, for rerankers. */
    RANK(4);

    private final int code;

    Pooling(int code) {
        this.code = code;
    }

    /** The value in {@code llama.h}. */
    int code() {
        return code;
    }

    static Pooling of(int code) {
        for (Pooling value : values()) {
            if (value.code == code) {
                return value;
            }
        }
        return NONE;
    }
}
