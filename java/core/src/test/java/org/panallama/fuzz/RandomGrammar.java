package org.panallama.fuzz;

import java.util.List;
import java.util.Random;

/** Grammars made up by chance. Most are well-formed; some are damaged, recurse on the left, or repeat too often. */
public final class RandomGrammar {

    private static final List<String> NAMES = List.of("root", "a", "b-2", "expr", "ws", "x9");
    private static final List<String> CHARACTERS = List.of(
            "a",
            "b",
            "e",
            "n",
            "F",
            "r",
            " ",
            "0",
            "9",
            ".",
            ",",
            "^",
            "é",
            "中",
            "日",
            "😀",
            "\\n",
            "\\x41",
            "\\u4e2d",
            "\\U0001F600",
            "\\\"",
            "\\\\",
            "\\]",
            "\\[",
            "\\-");
    private static final List<String> SETS =
            List.of("[a-z]", "[^a-z]", "[0-9]", "[ぁ-ゟ]", "[一-鿿]", "[z-a]", "[^\\x00-\\x7f]", "[a-]", "[-a]", "[^\\n]");
    private static final List<String> REPETITIONS =
            List.of("*", "+", "?", "{2}", "{0}", "{0,3}", "{1,}", "{ 2 , 5 }", "{0,40}", "{0,5000}");
    private static final List<String> WRONG_REPETITIONS = List.of("{3,2}", "{2000}", "{,2}", "{99999999999999999999}");
    private static final List<String> TOKENS =
            List.of("<[5]>", "!<[5]>", "<[870]>", "!<[870]>", "</s>", "!</s>", "<[99999]>", "<nothing>");
    private static final String DAMAGE = "()[]{}|*+?\"\\-^.,:=<>!#\n 09aé";
    private static final int MAX_DEPTH = 4;

    private final Random random;
    private final boolean tokens;
    private int rule;

    private RandomGrammar(long seed, boolean tokens) {
        this.random = new Random(seed);
        this.tokens = tokens;
    }

    /**
     * @param seed that tells one from another
     * @param tokens whether it may refer to tokens
     */
    public static String of(long seed, boolean tokens) {
        return new RandomGrammar(seed, tokens).grammar();
    }

    private String grammar() {
        StringBuilder text = new StringBuilder();
        for (rule = 0; rule < NAMES.size(); rule++) {
            text.append(NAMES.get(rule))
                    .append(pick(List.of(" ::= ", "::=", " ::=\n  ")))
                    .append(alternatives(0))
                    .append(pick(List.of("\n", "\r\n", "\n\n# comment\n")));
        }
        if (chance(20)) {
            int at = random.nextInt(text.length());
            text.replace(at, at + random.nextInt(2), "" + DAMAGE.charAt(random.nextInt(DAMAGE.length())));
        }
        return text.toString();
    }

    private String alternatives(int depth) {
        StringBuilder text = new StringBuilder(sequence(depth));
        while (chance(30)) {
            text.append(pick(List.of(" | ", "|", " |\n "))).append(sequence(depth));
        }
        return text.toString();
    }

    private String sequence(int depth) {
        StringBuilder text = new StringBuilder(chance(3) ? "\"\"" : item(depth));
        while (chance(45)) {
            text.append(' ').append(item(depth));
        }
        return text.toString();
    }

    private String item(int depth) {
        String item = plainItem(depth);
        return chance(25) ? item + pick(chance(2) ? WRONG_REPETITIONS : REPETITIONS) : item;
    }

    private String plainItem(int depth) {
        int kind = random.nextInt(100);
        if (kind < 30) {
            StringBuilder literal = new StringBuilder("\"");
            for (int i = chance(2) ? 0 : 1 + random.nextInt(3); i > 0; i--) {
                literal.append(pick(CHARACTERS));
            }
            return literal.append('"').toString();
        } else if (kind < 50) {
            return chance(2) ? "[]" : pick(SETS);
        } else if (kind < 55) {
            return ".";
        } else if (kind < 80 && depth < MAX_DEPTH) {
            return "(" + alternatives(depth + 1) + pick(List.of(")", " )", "\n)"));
        } else if (kind < 85 && tokens) {
            return pick(TOKENS);
        }
        // Mostly a later rule, so that most grammars do not recurse on the left.
        int from = chance(2) ? 0 : rule + 1;
        return from < NAMES.size() ? NAMES.get(from + random.nextInt(NAMES.size() - from)) : "\"n\"";
    }

    private boolean chance(int percent) {
        return random.nextInt(100) < percent;
    }

    private String pick(List<String> list) {
        return list.get(random.nextInt(list.size()));
    }
}
