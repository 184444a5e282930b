package org.panallama;

import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.panallama.internal.Require;

/**
 * A grammar in llama.cpp's GBNF that the generated text has to follow, from its beginning or from a trigger on.
 *
 * @param rules the grammar's text
 * @param root the name of its start symbol
 * @param triggers a lazy grammar sets in where one of these is found in the text generated so far: at the
 *     first group that matched something, else at the beginning of the match
 * @param triggerTokens a lazy grammar sets in with one of these tokens, which is the first that the grammar has to allow
 * @param prefix text that stands right before the generated one and that the grammar begins with; a lazy grammar has none
 */
public record Grammar(String rules, String root, List<Pattern> triggers, Set<Integer> triggerTokens, String prefix) {

    /**
     * @throws IllegalArgumentException if the rules or the root are empty or contain NUL, or a lazy grammar has a prefix
     */
    public Grammar {
        if (Require.noNul("grammar", rules).isBlank()) {
            throw new IllegalArgumentException("the grammar is empty");
        }
        if (Require.noNul("root", root).isBlank()) {
            throw new IllegalArgumentException("the name of the grammar's start symbol is empty");
        }
        if (!prefix.isEmpty() && !(triggers.isEmpty() && triggerTokens.isEmpty())) {
            throw new IllegalArgumentException("a lazy grammar cannot have a prefix: it begins with its trigger");
        }
        triggers = List.copyOf(triggers);
        triggerTokens = Set.copyOf(triggerTokens);
    }

    /** A grammar for the whole text, whose start symbol is {@code root}. */
    public static Grammar of(String rules) {
        return new Grammar(rules, "root", List.of(), Set.of(), "");
    }

    /**
     * A grammar that sets in at a trigger, for an answer that is free until it calls a tool, for example.
     *
     * @throws IllegalArgumentException if there is no trigger at all
     */
    public static Grammar lazy(String rules, List<Pattern> triggers, Set<Integer> triggerTokens) {
        Objects.requireNonNull(triggers, "triggers");
        if (triggers.isEmpty() && triggerTokens.isEmpty()) {
            throw new IllegalArgumentException("a lazy grammar needs a trigger");
        }
        return new Grammar(rules, "root", triggers, triggerTokens, "");
    }

    /** The same grammar for text whose beginning, this one, is the end of the prompt. */
    public Grammar withPrefix(String text) {
        return new Grammar(rules, root, triggers, triggerTokens, text);
    }

    /** Whether it waits for a trigger. */
    public boolean isLazy() {
        return !triggers.isEmpty() || !triggerTokens.isEmpty();
    }
}
