package org.panallama;

/** The kind of a model's tokenizer. */
public enum VocabType {
    /** The model has no vocabulary. */
    NONE(0),

    /** SentencePiece BPE with byte fallback (Llama, Mixtral). */
    SPM(1),

    /** Byte-level BPE (GPT-2, Qwen). */
    BPE(2),

    /** WordPiece (BERT). */
    WPM(3),

    /** Unigram (T5). */
    UGM(4),

    /** Greedy tokenizer of RWKV. */
    RWKV(5),

    /** Aho-Corasick tokenizer of PLaMo-2. */
    PLAMO2(6);

    private final int code;

    VocabType(int code) {
        this.code = code;
    }

    /** The value in {@code llama.h}. */
    int code() {
        return code;
    }

    static VocabType of(int code) {
        for (VocabType value : values()) {
            if (value.code == code) {
                return value;
            }
        }
        return NONE;
    }
}
