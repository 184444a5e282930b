package org.panallama;

/** How positions beyond the trained context are mapped into it. */
public enum RopeScaling {
    /** As the model's metadata says. */
    FROM_MODEL(-1),

    /** Not at all. */
    NONE(0),

    /** Linear interpolation (Chen et al. 2023, arXiv 2306.15595). */
    LINEAR(1),

    /** YaRN (Peng et al. 2023, arXiv 2309.00071). */
    YARN(2),

    /** LongRoPE (Ding et al. 2024, arXiv 2402.13753). */
    LONGROPE(3);

    private final int code;

    RopeScaling(int code) {
        this.code = code;
    }

    /** The value in {@code llama.h}. */
    int code() {
        return code;
    }
}
