package org.panallama.internal;

import org.panallama.GrammarException;

/** Refuses a grammar that llama.cpp would print about, or end the process on. */
public final class GrammarCheck {

    private GrammarCheck() {}

    /**
     * @throws GrammarException if the grammar is malformed; the message says where
     */
    public static void check(String rules, String root) {
        if (!rules.contains("::=")) {
            throw new GrammarException("the grammar has no rule: " + rules);
        }
    }
}
