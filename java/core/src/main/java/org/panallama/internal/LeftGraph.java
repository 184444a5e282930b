package org.panallama.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;

/**
 * Which rules of a grammar can begin with which: an edge for every element that stands first in an alternative, or has nothing
 * but empty rules before it. No method recurses, since grammars may have chains of any length.
 */
final class LeftGraph {

    private final int[] first; // edge of each rule; one more for the end of the last
    private final int[] targets;
    private final BitSet last = new BitSet();
    private final int[] terminals;

    /** Rules that all can begin with one another, or a single one. */
    static final class Component {

        private final int[] rules;
        private final int[] componentOf;

        private Component(int[] rules, int[] componentOf) {
            this.rules = rules;
            this.componentOf = componentOf;
        }

        int[] rules() {
            return rules;
        }

        boolean contains(int rule) {
            return componentOf[rule] == componentOf[rules[0]];
        }
    }

    LeftGraph(GrammarRules rules, BitSet empty) {
        int count = rules.count();
        this.first = new int[count + 1];
        this.terminals = new int[count];
        int[] edges = new int[16];
        int size = 0;
        for (int rule = 0; rule < count; rule++) {
            boolean beginning = true;
            for (int at = rules.start(rule); at < rules.end(rule); at++) {
                if (rules.ends(at)) {
                    beginning = true;
                } else if (beginning && rules.kind(at) == GrammarRules.RULE) {
                    if (size == edges.length) {
                        edges = Arrays.copyOf(edges, size * 2);
                    }
                    edges[size] = rules.operand(at);
                    last.set(size++, rules.ends(at + 1));
                    beginning = empty.get(rules.operand(at));
                } else if (beginning) {
                    terminals[rule]++;
                    beginning = false;
                }
            }
            first[rule + 1] = size;
        }
        this.targets = Arrays.copyOf(edges, size);
    }

    /** The first edge of a rule; its edges end with the first one of the next rule. */
    int first(int rule) {
        return first[rule];
    }

    int target(int edge) {
        return targets[edge];
    }

    /** Whether nothing follows the element in its alternative. */
    boolean isLast(int edge) {
        return last.get(edge);
    }

    /** How many characters and tokens a rule can begin with by itself. */
    int terminals(int rule) {
        return terminals[rule];
    }

    /** Adds the rules that can be reached from one, not going on from those that are there already. */
    void markReachable(int start, BitSet reached) {
        int[] open = {start};
        int size = 1;
        reached.set(start);
        while (size > 0) {
            int rule = open[--size];
            for (int edge = first[rule]; edge < first[rule + 1]; edge++) {
                int target = targets[edge];
                if (!reached.get(target)) {
                    reached.set(target);
                    if (size == open.length) {
                        open = Arrays.copyOf(open, size * 2);
                    }
                    open[size++] = target;
                }
            }
        }
    }

    /** A shortest way from one rule to another that it can begin with, over one edge or more. */
    List<Integer> path(int from, int to) {
        int[] before = new int[first.length - 1];
        Arrays.fill(before, -1);
        int[] queue = new int[first.length];
        int size = 1;
        queue[0] = from;
        for (int i = 0; before[to] < 0; i++) {
            for (int edge = first[queue[i]]; edge < first[queue[i] + 1]; edge++) {
                int target = targets[edge];
                if (before[target] < 0) {
                    before[target] = queue[i];
                    queue[size++] = target;
                }
            }
        }
        List<Integer> path = new ArrayList<>();
        int rule = to;
        do {
            path.add(rule);
            rule = before[rule];
        } while (rule != from);
        path.add(from);
        Collections.reverse(path);
        return path;
    }

    /**
     * The strongly connected components that can be reached from some rules, each after those that it leads to (Tarjan,
     * doi:10.1137/0201010).
     */
    List<Component> components(BitSet from) {
        Tarjan search = new Tarjan();
        from.stream().forEach(search::visit);
        return search.components;
    }

    private final class Tarjan {

        private final List<Component> components = new ArrayList<>();
        private final int[] componentOf = new int[first.length - 1]; // from 1; 0 as long as it is open
        private final int[] order = new int[first.length - 1]; // of discovery, from 1
        private final int[] lowest = new int[first.length - 1];
        private final int[] nextEdge = first.clone();
        private final int[] path = new int[first.length - 1];
        private final int[] open = new int[first.length - 1];
        private int openSize;
        private int discovered;

        void visit(int start) {
            if (order[start] != 0) {
                return;
            }
            int depth = 0;
            path[0] = start;
            discover(start);
            while (depth >= 0) {
                int rule = path[depth];
                if (nextEdge[rule] < first[rule + 1]) {
                    int target = targets[nextEdge[rule]++];
                    if (order[target] == 0) {
                        path[++depth] = target;
                        discover(target);
                    } else if (componentOf[target] == 0) {
                        lowest[rule] = Math.min(lowest[rule], order[target]);
                    }
                } else {
                    if (lowest[rule] == order[rule]) {
                        complete(rule);
                    }
                    if (--depth >= 0) {
                        lowest[path[depth]] = Math.min(lowest[path[depth]], lowest[rule]);
                    }
                }
            }
        }

        private void discover(int rule) {
            order[rule] = ++discovered;
            lowest[rule] = discovered;
            open[openSize++] = rule;
        }

        private void complete(int rule) {
            int end = openSize;
            do {
                componentOf[open[--openSize]] = components.size() + 1;
            } while (open[openSize] != rule);
            components.add(new Component(Arrays.copyOfRange(open, openSize, end), componentOf));
        }
    }
}
