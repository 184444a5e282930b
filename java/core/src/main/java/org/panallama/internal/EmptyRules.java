package org.panallama.internal;

import java.util.Arrays;
import java.util.BitSet;

/** Which rules of a grammar may stand for no text at all. */
final class EmptyRules {

    private final GrammarRules rules;
    private final BitSet empty = new BitSet();
    private final int[] found;
    private int foundCount;

    private EmptyRules(GrammarRules rules) {
        this.rules = rules;
        this.found = new int[rules.count()];
    }

    /** Those with an alternative that has no elements. */
    static BitSet obvious(GrammarRules rules) {
        BitSet empty = new BitSet();
        for (int rule = 0; rule < rules.count(); rule++) {
            for (int at = rules.start(rule); at < rules.end(rule); at++) {
                if (rules.ends(at) && (at == rules.start(rule) || rules.kind(at - 1) == GrammarRules.ALTERNATIVE)) {
                    empty.set(rule);
                }
            }
        }
        return empty;
    }

    /** Those with an alternative that has no elements but such rules again. */
    static BitSet all(GrammarRules rules) {
        EmptyRules search = new EmptyRules(rules);
        search.run();
        return search.empty;
    }

    /** Counts for each alternative how many of its rules are not known to be empty, and goes on from those with none left. */
    private void run() {
        int length = rules.end(rules.count() - 1);
        int[] uses = new int[rules.count() + 1];
        for (int at = 0; at < length; at++) {
            if (rules.kind(at) == GrammarRules.RULE) {
                uses[rules.operand(at) + 1]++;
            }
        }
        for (int rule = 0; rule < rules.count(); rule++) {
            uses[rule + 1] += uses[rule];
        }
        int[] users = new int[uses[rules.count()]]; // the alternative of each use, by its end
        int[] userRule = new int[users.length];
        int[] next = Arrays.copyOf(uses, rules.count());
        int[] missing = new int[length]; // by the alternative's end
        for (int rule = 0; rule < rules.count(); rule++) {
            for (int start = rules.start(rule); start < rules.end(rule); ) {
                int end = start;
                boolean terminal = false;
                while (!rules.ends(end)) {
                    terminal |= rules.kind(end) != GrammarRules.RULE;
                    end++;
                }
                for (int at = start; at < end; at++) {
                    if (rules.kind(at) == GrammarRules.RULE) {
                        int use = next[rules.operand(at)]++;
                        users[use] = end;
                        userRule[use] = rule;
                    }
                }
                missing[end] = terminal ? Integer.MAX_VALUE : end - start;
                if (missing[end] == 0) {
                    add(rule);
                }
                start = end + 1;
            }
        }
        for (int i = 0; i < foundCount; i++) {
            for (int use = uses[found[i]]; use < uses[found[i] + 1]; use++) {
                if (--missing[users[use]] == 0) {
                    add(userRule[use]);
                }
            }
        }
    }

    private void add(int rule) {
        if (!empty.get(rule)) {
            empty.set(rule);
            found[foundCount++] = rule;
        }
    }
}
