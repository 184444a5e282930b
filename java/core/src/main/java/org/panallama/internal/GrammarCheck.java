package org.panallama.internal;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.ToIntFunction;
import org.panallama.GrammarException;
import org.panallama.internal.LeftGraph.Component;

/**
 * Refuses a grammar that llama.cpp v0.4.0 would refuse without saying why, or would not survive: its rules must not lead it to
 * overflow its stack, to go on without end, or to have nothing that it expects next.
 */
public final class GrammarCheck {

    private static final int MAX_DEPTH = 2500; // of llama.cpp's search; it overflows a stack of 512 KB at 4,042
    private static final long MAX_SEARCH =
            200_000_000; // elements that the search looks at, some of them again and again
    private static final int MAX_OPEN = 50_000; // llama.cpp compares each with each

    private final GrammarRules rules;

    private GrammarCheck(GrammarRules rules) {
        this.rules = rules;
    }

    /**
     * @param text the grammar in GBNF
     * @param root the name of its start symbol
     * @param tokens gives the id of a token by its text, and a negative number if the text is not exactly one token
     * @return the state at the beginning of a text
     * @throws GrammarException if the grammar is malformed; the message says where
     */
    public static GrammarState check(String text, String root, ToIntFunction<String> tokens) {
        GrammarRules rules = GrammarParser.parse(text, root, tokens);
        GrammarCheck check = new GrammarCheck(rules);
        check.search();
        check.expand();
        return GrammarState.start(rules);
    }

    /**
     * Llama.cpp's search for left recursion, and what it costs. A rule counts as empty there only if one of its alternatives
     * has no elements.
     */
    private void search() {
        LeftGraph graph = new LeftGraph(rules, EmptyRules.obvious(rules));
        int count = rules.count();
        BitSet all = new BitSet(count);
        all.set(0, count);
        int[] depths = new int[count];
        long[] costs = new long[count];
        for (Component component : graph.components(all)) {
            int rule = component.rules()[0];
            costs[rule] = rules.end(rule) - rules.start(rule);
            for (int edge = graph.first(rule); edge < graph.first(rule + 1); edge++) {
                int target = graph.target(edge);
                if (component.contains(target)) {
                    throw leftRecursion(graph, rule, target);
                }
                depths[rule] = Math.max(depths[rule], depths[target]);
                costs[rule] = Math.min(MAX_SEARCH, costs[rule] + costs[target]);
            }
            if (++depths[rule] > MAX_DEPTH) {
                throw new GrammarException("more than " + MAX_DEPTH + " rules begin with one another, from "
                        + rules.name(rule) + " on; llama.cpp would overflow its stack");
            }
        }
        // It starts with every rule that it has not come to yet, but goes into rules again that it has been in.
        long cost = 0;
        BitSet seen = new BitSet(count);
        for (int rule = 0; rule < count; rule++) {
            if (!seen.get(rule)) {
                cost = Math.min(MAX_SEARCH, cost + costs[rule]);
                graph.markReachable(rule, seen);
            }
        }
        if (cost == MAX_SEARCH) {
            throw new GrammarException(
                    "too many ways lead through the beginnings of the rules for llama.cpp to look for left"
                            + " recursion; refer to the same rules less often");
        }
    }

    /** Whether it always comes to an end to look up what a rule can begin with, and how much that yields. */
    private void expand() {
        BitSet empty = EmptyRules.all(rules);
        LeftGraph graph = new LeftGraph(rules, empty);
        BitSet toTerminal = new BitSet();
        int[] open = new int[rules.count()];
        for (Component component : graph.components(used())) {
            long sum = 0;
            boolean terminal = false;
            for (int rule : component.rules()) {
                sum += 1 + graph.terminals(rule);
                terminal |= graph.terminals(rule) > 0;
                for (int edge = graph.first(rule); edge < graph.first(rule + 1); edge++) {
                    int target = graph.target(edge);
                    if (!component.contains(target)) {
                        sum += 1 + open[target];
                        terminal |= toTerminal.get(target);
                    } else if (graph.isLast(edge)) {
                        sum++; // comes back to what is counted already
                    } else {
                        throw leftRecursion(graph, rule, target);
                    }
                }
            }
            if (sum >= MAX_OPEN) {
                throw new GrammarException(
                        "rule " + rules.name(component.rules()[0]) + " can begin in " + MAX_OPEN
                                + " ways or more, too many for llama.cpp to follow; nest fewer repetitions of what may be empty");
            }
            for (int rule : component.rules()) {
                open[rule] = (int) sum;
                toTerminal.set(rule, terminal);
                if (!terminal && !empty.get(rule)) {
                    throw new GrammarException("rule " + rules.name(rule) + " only comes back to itself: "
                            + chain(graph.path(rule, rule)));
                }
            }
        }
    }

    /** The rules that the root comes to. */
    private BitSet used() {
        BitSet used = new BitSet(rules.count());
        int[] found = new int[rules.count()];
        int size = 0;
        found[size++] = rules.root();
        used.set(rules.root());
        for (int i = 0; i < size; i++) {
            for (int at = rules.start(found[i]); at < rules.end(found[i]); at++) {
                if (rules.kind(at) == GrammarRules.RULE && !used.get(rules.operand(at))) {
                    used.set(rules.operand(at));
                    found[size++] = rules.operand(at);
                }
            }
        }
        return used;
    }

    private GrammarException leftRecursion(LeftGraph graph, int rule, int target) {
        List<Integer> path = new ArrayList<>(List.of(rule));
        path.addAll(rule == target ? path : graph.path(target, rule));
        return new GrammarException("left recursion, which llama.cpp cannot follow: " + chain(path)
                + "; begin with something else, or repeat with * or +");
    }

    /** Names of rules; a group or repetition has the name of the rule that it stands in, and is left out. */
    private String chain(List<Integer> path) {
        int shown = 8;
        StringBuilder chain = new StringBuilder(rules.name(path.get(0)));
        String last = rules.name(path.get(0));
        for (int i = 1; i < path.size(); i++) {
            String name = rules.name(path.get(i));
            boolean end = i == path.size() - 1;
            if (end || !name.equals(last) && shown-- > 0) {
                chain.append(shown < 0 && end ? " -> ... -> " : " -> ").append(name);
                last = name;
            }
        }
        return chain.toString();
    }
}
