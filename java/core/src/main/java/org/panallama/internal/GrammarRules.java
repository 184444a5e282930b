package org.panallama.internal;

import java.util.Arrays;

/**
 * A parsed grammar. All rules lie in one array of elements: a rule is its alternatives, each of them a sequence of elements,
 * with {@link #ALTERNATIVE} between two and {@link #END} behind the last. Groups and repetitions are rules of their own, as they
 * are in llama.cpp. A position in the array stands for what follows there. Immutable.
 */
final class GrammarRules {

    static final int END = 0;
    static final int ALTERNATIVE = 1;
    static final int RULE = 2; // operand: the rule's number
    static final int CHARS = 3; // operand: the number of the set of characters
    static final int TOKEN = 4; // operand: the token's id
    static final int OTHER_TOKEN = 5; // any token but the operand

    /** The largest operand. */
    static final int MAX_OPERAND = (1 << 28) - 1;

    private static final int KIND_BITS = 3;
    private static final int KIND_MASK = (1 << KIND_BITS) - 1;

    private final int[] elements;
    private final int[] starts; // of each rule; one more for the end of the last
    private final String[] names;
    private final CharSet[] sets;
    private final int root;
    private final boolean hasTokens;

    /**
     * Ranges of code points.
     *
     * @param negated whether it stands for the characters that are in none of the ranges
     * @param ranges lowest and highest code point of each range, in turns; a range whose lowest is above its highest is empty
     */
    record CharSet(boolean negated, int[] ranges) {

        boolean contains(int character) {
            return overlaps(character, character) != negated;
        }

        /** Whether llama.cpp lets the beginning of a character pass that may become any of these. */
        boolean mayContain(int lowest, int highest) {
            return overlaps(lowest, highest) != negated;
        }

        private boolean overlaps(int lowest, int highest) {
            for (int i = 0; i < ranges.length; i += 2) {
                if (Integer.compareUnsigned(ranges[i], highest) <= 0
                        && Integer.compareUnsigned(lowest, ranges[i + 1]) <= 0) {
                    return true;
                }
            }
            return false;
        }
    }

    /**
     * @param rules the elements of each rule, {@link #END} last
     * @param names of each rule; a group or repetition has the name of the rule that it stands in
     * @param sets of characters
     * @param root the number of the rule to start with
     */
    GrammarRules(int[][] rules, String[] names, CharSet[] sets, int root) {
        this.names = names;
        this.sets = sets;
        this.root = root;
        this.starts = new int[rules.length + 1];
        for (int rule = 0; rule < rules.length; rule++) {
            starts[rule + 1] = starts[rule] + rules[rule].length;
        }
        this.elements = new int[starts[rules.length]];
        for (int rule = 0; rule < rules.length; rule++) {
            System.arraycopy(rules[rule], 0, elements, starts[rule], rules[rule].length);
        }
        this.hasTokens = Arrays.stream(elements).anyMatch(element -> kindOf(element) >= TOKEN);
    }

    static int element(int kind, int operand) {
        return operand << KIND_BITS | kind;
    }

    static int kindOf(int element) {
        return element & KIND_MASK;
    }

    static int operandOf(int element) {
        return element >>> KIND_BITS;
    }

    int kind(int position) {
        return kindOf(elements[position]);
    }

    int operand(int position) {
        return operandOf(elements[position]);
    }

    CharSet set(int position) {
        return sets[operand(position)];
    }

    /** Whether an alternative ends here. */
    boolean ends(int position) {
        return kind(position) <= ALTERNATIVE;
    }

    /** Whether a token, and not a character, is expected here. */
    boolean isToken(int position) {
        return kind(position) >= TOKEN;
    }

    /** Whether a token is the expected one. */
    boolean matches(int position, int token) {
        return operand(position) == token == (kind(position) == TOKEN);
    }

    boolean hasTokens() {
        return hasTokens;
    }

    /** The number of rules. */
    int count() {
        return names.length;
    }

    int root() {
        return root;
    }

    String name(int rule) {
        return names[rule];
    }

    /** Where a rule begins. */
    int start(int rule) {
        return starts[rule];
    }

    /** Behind the end of a rule. */
    int end(int rule) {
        return starts[rule + 1];
    }
}
