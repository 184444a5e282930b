package org.panallama.internal;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.panallama.GrammarException;

/**
 * How far a text has come in a grammar, and what may follow: the same as llama.cpp's grammar keeps, so that it is known
 * beforehand whether that one will survive a token. Asking llama.cpp is not enough: where a rule for a token follows a
 * character ({@code "a" !<[5]>}), it allows tokens that it then cannot accept ("ab"), and ends the process. Immutable.
 */
public final class GrammarState {

    private static final int MAX_STACKS = 50_000;
    private static final long MAX_POSITIONS = 4_000_000; // in all stacks together

    private final GrammarRules rules;
    private final Set<Stack> stacks;
    private final Utf8Prefix prefix;

    /** Positions in the rules: what comes next is the last one, and behind its alternative it goes on at the one before. */
    private record Stack(int[] positions) {

        private static final Stack EMPTY = new Stack(new int[0]);

        boolean isEmpty() {
            return positions.length == 0;
        }

        int top() {
            return positions[positions.length - 1];
        }

        /** This one with another top. */
        Stack with(int position) {
            int[] changed = positions.clone();
            changed[changed.length - 1] = position;
            return new Stack(changed);
        }

        Stack push(int position) {
            int[] more = Arrays.copyOf(positions, positions.length + 1);
            more[positions.length] = position;
            return new Stack(more);
        }

        Stack pop() {
            return new Stack(Arrays.copyOf(positions, positions.length - 1));
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Stack stack && Arrays.equals(positions, stack.positions);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(positions);
        }
    }

    private GrammarState(GrammarRules rules, Set<Stack> stacks, Utf8Prefix prefix) {
        this.rules = rules;
        this.stacks = stacks;
        this.prefix = prefix;
    }

    static GrammarState start(GrammarRules rules) {
        GrammarState nothing = new GrammarState(rules, Set.of(), Utf8Prefix.NONE);
        Deque<Stack> open = new ArrayDeque<>();
        nothing.pushAlternatives(Stack.EMPTY, rules.root(), open);
        return new GrammarState(rules, nothing.expand(open), Utf8Prefix.NONE);
    }

    /** Whether the text may end here. */
    public boolean mayEnd() {
        return stacks.contains(Stack.EMPTY);
    }

    /** Whether the grammar refers to tokens, so that llama.cpp may allow what it cannot accept. */
    public boolean refersToTokens() {
        return rules.hasTokens();
    }

    /**
     * The state after one more token.
     *
     * @param bytes what the token stands for, in UTF-8 that may begin or end within a character
     * @return null if the grammar does not allow the token
     * @throws GrammarException if there are too many ways to go on
     */
    public @Nullable GrammarState after(int token, byte[] bytes) {
        if (bytes.length == 0 || bytes[0] == 0) {
            return null;
        }
        Utf8Prefix.Decoded decoded = prefix.decode(bytes);
        if (decoded == null) {
            return null;
        }
        int[] characters = decoded.characters();
        Utf8Prefix rest = decoded.rest();
        List<Stack> accepted = new ArrayList<>();
        Set<Stack> reading = new LinkedHashSet<>();
        boolean allowed = false;
        for (Stack stack : stacks) {
            if (stack.isEmpty()) {
                continue;
            }
            if (!rules.isToken(stack.top())) {
                reading.add(stack);
            } else if (rules.matches(stack.top(), token)) {
                accepted.add(step(stack));
                allowed |= characters.length > 0;
            }
        }
        for (int character : characters) {
            reading = read(reading, character);
        }
        for (Stack stack : reading) {
            allowed |= rest.isNone()
                    || !stack.isEmpty() && !rules.isToken(stack.top()) && rest.mayBecome(rules.set(stack.top()));
        }
        if (!allowed) {
            return null;
        }
        Set<Stack> next = expand(accepted);
        next.addAll(reading);
        return new GrammarState(rules, next, rest);
    }

    /** What is left of the stacks after a character. */
    private Set<Stack> read(Collection<Stack> reading, int character) {
        Deque<Stack> open = new ArrayDeque<>();
        for (Stack stack : reading) {
            if (!stack.isEmpty()
                    && !rules.isToken(stack.top())
                    && rules.set(stack.top()).contains(character)) {
                open.add(step(stack));
            }
        }
        return expand(open);
    }

    /** Goes past the element on top. */
    private Stack step(Stack stack) {
        int next = stack.top() + 1;
        return rules.ends(next) ? stack.pop() : stack.with(next);
    }

    /** Replaces rules on top by what they can begin with, until characters and tokens are on top. */
    private Set<Stack> expand(Collection<Stack> from) {
        Deque<Stack> open = new ArrayDeque<>(from);
        Set<Stack> seen = new HashSet<>(from);
        Set<Stack> expanded = new LinkedHashSet<>();
        long positions = 0;
        while (!open.isEmpty()) {
            Stack stack = open.removeLast();
            positions += stack.positions.length;
            if (seen.size() > MAX_STACKS || positions > MAX_POSITIONS) {
                throw new GrammarException("the text can go on in more than " + MAX_STACKS
                        + " ways here, too many for llama.cpp to follow; make the grammar less ambiguous");
            }
            if (stack.isEmpty() || rules.kind(stack.top()) != GrammarRules.RULE) {
                expanded.add(stack);
                continue;
            }
            Deque<Stack> replacements = new ArrayDeque<>();
            pushAlternatives(step(stack), rules.operand(stack.top()), replacements);
            for (Stack replacement : replacements) {
                if (seen.add(replacement)) {
                    open.add(replacement);
                }
            }
        }
        return expanded;
    }

    private void pushAlternatives(Stack below, int rule, Deque<Stack> into) {
        boolean beginning = true;
        for (int at = rules.start(rule); at < rules.end(rule); at++) {
            if (beginning) {
                into.add(rules.ends(at) ? below : below.push(at));
            }
            beginning = rules.ends(at);
        }
    }
}
