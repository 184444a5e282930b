package org.panallama;

import org.panallama.tiny.TinyModel;

/** The tiny model, opened for a test. */
final class Tiny {

    /** Answered with {@code France}. */
    static final String FRANCE = "[INST] 法国的英文名是什么？ [/INST]";

    /** Answered with a poem, so that it takes a while. */
    static final String POEM = "《静夜思》\n作者：";

    private Tiny() {}

    static Model model() {
        return Model.load(TinyModel.path());
    }

    /** One thread: the model is too small to gain by more, and the threads of a busy machine wait for each other. */
    static ContextOptions.Builder context() {
        return ContextOptions.builder().length(512).threads(1);
    }
}
