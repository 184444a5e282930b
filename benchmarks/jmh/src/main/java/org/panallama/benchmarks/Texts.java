package org.panallama.benchmarks;

/** What the benchmarks ask for: the same for every library. */
final class Texts {

    static final String QUESTION = "[INST] 法国的英文名是什么？ [/INST]";

    /** Tokens of an answer. */
    static final int ANSWER = 128;

    /** A long prompt; a bit less than 512 tokens of the tiny model. */
    static final String LONG = "[INST] " + "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。\n".repeat(22) + " [/INST]";

    private Texts() {}
}
