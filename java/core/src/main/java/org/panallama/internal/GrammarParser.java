package org.panallama.internal;

import static org.panallama.internal.GrammarRules.ALTERNATIVE;
import static org.panallama.internal.GrammarRules.CHARS;
import static org.panallama.internal.GrammarRules.END;
import static org.panallama.internal.GrammarRules.OTHER_TOKEN;
import static org.panallama.internal.GrammarRules.RULE;
import static org.panallama.internal.GrammarRules.TOKEN;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import org.panallama.GrammarException;
import org.panallama.internal.GrammarRules.CharSet;

/**
 * Parses llama.cpp's GBNF (grammars/README.md there), and accepts what llama.cpp v0.4.0 accepts. It refuses besides what
 * llama.cpp would not survive: deep nesting, a repetition whose highest number is below its lowest one, and rules that take too
 * much memory when repetitions are written out.
 */
final class GrammarParser {

    private static final int MAX_NESTING = 200; // llama.cpp's parser overflows a stack of 512 KB at 1,093
    private static final int MAX_REPETITION = 2000; // llama.cpp's own limit
    private static final long UNLIMITED = Long.MAX_VALUE;
    private static final CharSet ANY = new CharSet(false, new int[] {0, -1});

    private final GrammarText text;
    private final ToIntFunction<String> tokens;
    private final GrammarSymbols symbols = new GrammarSymbols();
    private final List<CharSet> sets = new ArrayList<>();
    private int nesting;

    private GrammarParser(String rules, ToIntFunction<String> tokens) {
        this.text = new GrammarText(rules);
        this.tokens = tokens;
        sets.add(ANY);
    }

    /**
     * @param root the name of the start symbol
     * @param tokens gives the id of a token by its text, and a negative number if the text is not exactly one token
     * @throws GrammarException if the grammar is malformed; the message says where
     */
    static GrammarRules parse(String rules, String root, ToIntFunction<String> tokens) {
        GrammarParser parser = new GrammarParser(rules, tokens);
        parser.text.skipSpace(true);
        while (!parser.text.atEnd()) {
            parser.rule();
        }
        return parser.symbols.resolve(parser.text, root, parser.sets.toArray(CharSet[]::new));
    }

    private void rule() {
        String name = text.name();
        int symbol = symbols.named(name, text.position() - name.length());
        text.skipSpace(false);
        if (!text.skip("::=")) {
            throw text.expected("'::=' after the name " + name);
        }
        text.skipSpace(true);
        symbols.define(symbol, alternatives(name, false));
        if (!text.atEnd() && !text.skipLineEnd()) {
            throw text.expected("a new line after the rule " + name);
        }
        text.skipSpace(true);
    }

    /** Parses up to what cannot belong to the rule or group. */
    private int[] alternatives(String rule, boolean nested) {
        GrammarBody body = new GrammarBody(symbols);
        sequence(body, rule, nested);
        while (text.skip("|")) {
            body.add(GrammarRules.element(ALTERNATIVE, 0), 1);
            text.skipSpace(true);
            sequence(body, rule, nested);
        }
        body.add(GrammarRules.element(END, 0), 1);
        return body.toArray();
    }

    private void sequence(GrammarBody body, String rule, boolean nested) {
        body.beginItem();
        while (true) {
            int start = text.position();
            int c = text.peek();
            if (c == '"') {
                body.beginItem();
                literal(body);
            } else if (c == '[') {
                body.beginItem();
                charSet(body);
            } else if (c == '<' || c == '!') {
                body.beginItem();
                token(body);
            } else if (c == '.') {
                body.beginItem();
                text.next();
                body.add(GrammarRules.element(CHARS, 0), 1);
            } else if (GrammarText.isWord(c)) {
                body.beginItem();
                String name = text.name();
                body.add(GrammarRules.element(RULE, symbols.named(name, start)), 1);
            } else if (c == '(') {
                group(body, rule);
            } else if (c == '*' || c == '+' || c == '?') {
                text.next();
                repeat(body, rule, start, c == '+' ? 1 : 0, c == '?' ? 1 : UNLIMITED);
            } else if (c == '{') {
                counts(body, rule, start, nested);
            } else {
                return;
            }
            text.skipSpace(nested);
        }
    }

    private void group(GrammarBody body, String rule) {
        int opened = text.position();
        if (++nesting > MAX_NESTING) {
            throw text.error(opened, "groups are nested deeper than " + MAX_NESTING);
        }
        text.next();
        text.skipSpace(true);
        int before = symbols.count();
        int symbol = symbols.generated(rule);
        symbols.define(symbol, alternatives(rule, true));
        int made = symbols.count() - before;
        if (!text.skip(")")) {
            throw text.expected("')' for the '(' at " + text.place(opened));
        }
        body.beginItem(made);
        body.add(GrammarRules.element(RULE, symbol), 1);
        nesting--;
    }

    private void literal(GrammarBody body) {
        int opened = text.position();
        text.next();
        while (text.peek() != '"') {
            if (text.atEnd()) {
                throw text.expected("'\"' for the '\"' at " + text.place(opened));
            }
            int c = text.character();
            body.add(GrammarRules.element(CHARS, set(false, new int[] {c, c})), 1);
        }
        text.next();
    }

    private void charSet(GrammarBody body) {
        int opened = text.position();
        text.next();
        boolean negated = text.skip("^");
        List<Integer> ranges = new ArrayList<>();
        while (text.peek() != ']') {
            if (text.atEnd()) {
                throw text.expected("']' for the '[' at " + text.place(opened));
            }
            int low = text.character();
            int high = low;
            if (text.peek() == '-' && text.peek(1) != ']') {
                text.next();
                if (text.atEnd()) {
                    throw text.expected("the last character of a range, and ']' for the '[' at " + text.place(opened));
                }
                high = text.character();
            }
            ranges.add(low);
            ranges.add(high);
        }
        text.next();
        if (!ranges.isEmpty()) { // llama.cpp takes [] and [^] for nothing at all
            int[] bounds = ranges.stream().mapToInt(Integer::intValue).toArray();
            body.add(GrammarRules.element(CHARS, set(negated, bounds)), bounds.length);
        }
    }

    private int set(boolean negated, int[] ranges) {
        sets.add(new CharSet(negated, ranges));
        return sets.size() - 1;
    }

    private void token(GrammarBody body) {
        int kind = text.skip("!") ? OTHER_TOKEN : TOKEN;
        int opened = text.position();
        if (!text.skip("<")) {
            throw text.expected("'<' and a token after '!'");
        }
        int id;
        if (text.skip("[")) {
            long number = text.number("the id of a token");
            if (number > Integer.MAX_VALUE) {
                throw text.error(opened, "there is no token " + (number == UNLIMITED ? "of such a number" : number));
            }
            if (!text.skip("]>")) {
                throw text.expected("']>' after the id of a token");
            }
            id = (int) Math.min(number, GrammarRules.MAX_OPERAND);
        } else {
            while (!text.atEnd() && text.peek() != '>') {
                text.next();
            }
            if (!text.skip(">")) {
                throw text.expected("'>' for the '<' at " + text.place(opened));
            }
            String name = text.from(opened);
            id = tokens.applyAsInt(name);
            if (id < 0) {
                throw text.error(opened, name + " is not exactly one token of the model's vocabulary");
            }
        }
        body.add(GrammarRules.element(kind, id), 1);
    }

    private void counts(GrammarBody body, String rule, int opened, boolean nested) {
        text.next();
        text.skipSpace(nested);
        long min = repetitions("a number of repetitions after '{'");
        text.skipSpace(nested);
        long max = min;
        if (text.skip(",")) {
            text.skipSpace(nested);
            max = UNLIMITED;
            if (GrammarText.isDigit(text.peek())) {
                max = repetitions("a number of repetitions");
                text.skipSpace(nested);
            }
            if (!text.skip("}")) {
                throw text.expected("'}' for the '{' at " + text.place(opened));
            }
        } else if (!text.skip("}")) {
            throw text.expected("',' or '}' after the number of repetitions");
        }
        if (min > MAX_REPETITION) {
            throw text.error(
                    opened, "at least " + min + " repetitions are more than llama.cpp's limit of " + MAX_REPETITION);
        }
        if (max < min) {
            throw text.error(opened, "at most " + max + " repetitions are fewer than the least, " + min);
        }
        // Above its limit, llama.cpp lets the repetition go on without end.
        repeat(body, rule, opened, min, max > MAX_REPETITION ? UNLIMITED : max);
    }

    private long repetitions(String what) {
        int start = text.position();
        long number = text.number(what);
        if (number == UNLIMITED) {
            throw text.error(start, "the number of repetitions is too large");
        }
        return number;
    }

    /**
     * Writes a repetition of the last item as llama.cpp does: the item {@code min} times, and a rule for the rest. For {@code
     * x*} that is {@code r ::= x r |}, and for {@code x{0,3}} it is {@code c ::= x b |}, {@code b ::= x a |}, {@code a ::= x |}.
     */
    private void repeat(GrammarBody body, String rule, int operator, long min, long max) {
        if (body.itemIsEmpty()) {
            throw text.error(operator, "expected something to repeat before " + text.quote(operator));
        }
        boolean endless = max == UNLIMITED;
        long times = endless || max == 0 ? Math.max(1, min) : max;
        if (!body.multiply(times, MAX_REPETITION)) {
            throw text.error(
                    operator,
                    "repetitions make " + MAX_REPETITION + " rules or more out of what stands before, which is"
                            + " llama.cpp's limit; lower the counts, or put a part into a rule of its own");
        }
        int optional = endless ? 1 : (int) (max - min);
        if (!body.reserve(min + optional)) {
            throw text.error(
                    operator,
                    "the grammar has more than " + GrammarSymbols.MAX_ELEMENTS + " elements once repetitions are"
                            + " written out");
        }
        int[] item = body.item();
        body.repeatItem((int) min);
        int rest = -1;
        for (int i = 0; i < optional; i++) {
            int symbol = symbols.generated(rule);
            GrammarBody repeated = new GrammarBody(symbols);
            repeated.addAll(item);
            if (endless || rest >= 0) {
                repeated.add(GrammarRules.element(RULE, endless ? symbol : rest), 1);
            }
            repeated.add(GrammarRules.element(ALTERNATIVE, 0), 1);
            repeated.add(GrammarRules.element(END, 0), 1);
            symbols.define(symbol, repeated.toArray());
            rest = symbol;
        }
        if (rest >= 0) {
            body.add(GrammarRules.element(RULE, rest), 1);
        }
    }
}
