package org.panallama.internal;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.panallama.GrammarException;
import org.panallama.internal.GrammarRules.CharSet;

/** The rules of a grammar that is being parsed, by number: those with a name, and those that groups and repetitions make. */
final class GrammarSymbols {

    /** How many elements llama.cpp may have to keep; it takes 8 bytes for each. */
    static final int MAX_ELEMENTS = 4_000_000;

    private static final int NEAR = 2; // edits to a name that is suggested
    private static final int LONG_NAME = 100; // that no suggestion is looked for

    private final Map<String, Integer> numbers = new HashMap<>();
    private final List<String> names = new ArrayList<>();
    private final List<int @Nullable []> rules = new ArrayList<>();
    private final List<Integer> mentions = new ArrayList<>();
    private long used;

    int count() {
        return names.size();
    }

    /** The number of the rule with this name, defined or not yet. */
    int named(String name, int position) {
        Integer known = numbers.get(name);
        if (known != null) {
            return known;
        }
        numbers.put(name, names.size());
        return add(name, position);
    }

    /** A new rule within another one. */
    int generated(String within) {
        return add(within, 0);
    }

    private int add(String name, int position) {
        names.add(name);
        rules.add(null);
        mentions.add(position);
        return names.size() - 1;
    }

    /** Gives a rule its elements. The last definition of a name counts. */
    void define(int symbol, int[] elements) {
        rules.set(symbol, elements);
    }

    /** Takes memory; returns whether it is granted. */
    boolean use(long elements) {
        used += elements;
        return used <= MAX_ELEMENTS;
    }

    GrammarRules resolve(GrammarText text, String root, CharSet[] sets) {
        if (names.isEmpty()) {
            throw new GrammarException("the grammar has no rules");
        }
        int[][] defined = new int[rules.size()][];
        for (int symbol = 0; symbol < defined.length; symbol++) {
            int[] elements = rules.get(symbol);
            if (elements == null) {
                String name = names.get(symbol);
                throw text.error(mentions.get(symbol), "undefined rule " + name + suggestion(name));
            }
            defined[symbol] = elements;
        }
        Integer start = numbers.get(root);
        if (start == null) {
            throw new GrammarException("the grammar has no rule " + root + " to start with" + suggestion(root));
        }
        return new GrammarRules(defined, names.toArray(String[]::new), sets, start);
    }

    private String suggestion(String name) {
        if (name.length() > LONG_NAME) {
            return "";
        }
        return numbers.entrySet().stream()
                .filter(entry -> rules.get(entry.getValue()) != null)
                .map(Map.Entry::getKey)
                .filter(other -> other.length() <= LONG_NAME)
                .filter(other -> distance(name, other) <= Math.max(NEAR, name.length() / 3))
                .min(Comparator.comparingInt((String other) -> distance(name, other))
                        .thenComparing(Comparator.naturalOrder()))
                .map(nearest -> "; did you mean " + nearest + "?")
                .orElse("");
    }

    /** The number of characters to insert, delete or replace to make one name the other. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(replaced, Math.min(above, row[j - 1]) + 1);
                diagonal = above;
            }
        }
        return row[b.length()];
    }
}
