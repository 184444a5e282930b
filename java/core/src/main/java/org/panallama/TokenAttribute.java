package org.panallama;

/** A property that the vocabulary gives to a token. */
public enum TokenAttribute {
    /** Stands for text that the vocabulary cannot express. */
    UNKNOWN(1),

    /** Reserved. */
    UNUSED(2),

    /** Ordinary text. */
    NORMAL(4),

    /** Has a meaning to the model and no text of its own, for example {@code </s>}. */
    CONTROL(8),

    /** Added to the vocabulary by the model's author. */
    USER_DEFINED(16),

    /** A single byte, for characters outside the vocabulary. */
    BYTE(32),

    /** Matched after normalisation. */
    NORMALIZED(64),

    /** Takes the white space on its left. */
    LSTRIP(128),

    /** Takes the white space on its right. */
    RSTRIP(256),

    /** Matches whole words only. */
    SINGLE_WORD(512);

    private final int code;

    TokenAttribute(int code) {
        this.code = code;
    }

    /** The value in {@code llama.h}. */
    int code() {
        return code;
    }
}
