package org.panallama.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.panallama.GrammarException;

/** What is taken for a grammar and what is not, and what the messages say. */
class GrammarCheckTest {

    private static GrammarState check(String grammar) {
        return GrammarCheck.check(grammar, "root", text -> text.equals("<think>") ? 7 : -1);
    }

    private static void refuses(String grammar, String message) {
        assertThatThrownBy(() -> check(grammar))
                .as(grammar.substring(0, Math.min(100, grammar.length())))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining(message);
    }

    /** Whether a text, token by token of one character each, is in the language of a grammar. */
    private static boolean matches(String grammar, String text) {
        @Nullable GrammarState state = check(grammar);
        for (int c : text.codePoints().toArray()) {
            state = state.after(0, Character.toString(c).getBytes(StandardCharsets.UTF_8));
            if (state == null) {
                return false;
            }
        }
        return state.mayEnd();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "root ::= \"a\"",
                "# comment\n\nroot::=\"a\"# comment",
                "root ::= a | b\r\na ::= \"x\"\r\nb ::= \"y\"\r\n",
                "root ::= (\n \"a\" # one\n | \"b\"\n)",
                "root ::= \"a\" |\n  \"b\"",
                "root ::=\n  \"a\"",
                "root ::= [^\\n\\t\\r\\\\\\\"\\]\\[\\-\\x41\\u4e2d\\U0001F600中😀^-]",
                "root ::= [a-] [-a] [--a] [a--] [z-a] [] [^]",
                "root ::= \"\" | ()",
                "root ::= ",
                "root ::= . .* .+ .? .{3} .{3,} .{0,3} .{ 1 , 2 } .{0} .{0,5000}",
                "root ::= \"a\"{2} * | \"b\"{2}{3}",
                "root ::= (\"a\"?)*",
                "root ::= <think> !<think> <[12]> !<[12]> .*",
                "root ::= 1-a-Z\n1-a-Z ::= \"x\"",
                "root ::= \"a\"\nroot ::= \"b\"",
                "root ::= \"a\" root | \"b\"",
                "root ::= [\n] \"\n\"",
                "x ::= e x \"y\" | \"z\"\ne ::= f\nf ::= \"\"\nroot ::= \"not x\"",
            })
    void accepts(String grammar) {
        check(grammar);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "root ~ grammar 1:5: expected '::=' after the name root, found the end of the grammar",
                "root := [a] ~ grammar 1:6: expected '::=' after the name root, found ':'",
                "_ ::= [a] ~ grammar 1:1: expected the name of a rule, found '_'",
                "root ::= [a] ) ~ grammar 1:14: expected a new line after the rule root, found ')'",
                "root ::= ([a] | (\"b\" ~ grammar 1:21: expected ')' for the '(' at 1:17, found the end of the grammar",
                "root ::= \"abc ~ grammar 1:14: expected '\"' for the '\"' at 1:10, found the end of the grammar",
                "root ::= [abc ~ grammar 1:14: expected ']' for the '[' at 1:10, found the end of the grammar",
                "root ::= [a- ~ grammar 1:13: expected the last character of a range, and ']' for the '[' at 1:10",
                "root ::= \"中\\q\" ~ grammar 1:12: expected an escape that exists",
                "root ::= \"\\x4g\" ~ grammar 1:14: expected 2 hexadecimal digits after \\x, found 'g'",
                "root ::= \"\\u4e2\" ~ grammar 1:16: expected 4 hexadecimal digits after \\u, found '\"'",
                "root ::= * ~ grammar 1:10: expected something to repeat before '*'",
                "root ::= \"\"+ ~ grammar 1:12: expected something to repeat before '+'",
                "root ::= [a] | ? ~ grammar 1:16: expected something to repeat before '?'",
                "root ::= [a]{x} ~ grammar 1:14: expected a number of repetitions after '{', found 'x'",
                "root ::= [a]{1;2} ~ grammar 1:15: expected ',' or '}' after the number of repetitions, found ';'",
                "root ::= [a]{1,2 ~ grammar 1:17: expected '}' for the '{' at 1:13, found the end of the grammar",
                "root ::= [a]{2001} ~ grammar 1:13: at least 2001 repetitions are more than llama.cpp's limit of 2000",
                "root ::= [a]{2000} ~ grammar 1:13: repetitions make 2000 rules or more",
                "root ::= ([a]{50}){50} ~",
                "root ::= [a]{99999999999999999999} ~ grammar 1:14: the number of repetitions is too large",
                "root ::= [a]{5,3} ~ grammar 1:13: at most 3 repetitions are fewer than the least, 5",
                "root ::= !a ~ grammar 1:11: expected '<' and a token after '!', found 'a'",
                "root ::= <think ~ grammar 1:16: expected '>' for the '<' at 1:10, found the end of the grammar",
                "root ::= <thinking> ~ grammar 1:10: <thinking> is not exactly one token of the model's vocabulary",
                "root ::= <[x]> ~ grammar 1:12: expected the id of a token, found 'x'",
                "root ::= <[7> ~ grammar 1:13: expected ']>' after the id of a token, found '>'",
                "root ::= <[4294967296]> ~ grammar 1:10: there is no token 4294967296",
                "root ::= thing ~ grammar 1:10: undefined rule thing",
                "roots ::= [a] ~ the grammar has no rule root to start with; did you mean roots?",
                "# nothing ~ the grammar has no rules",
            })
    void refusesAndSaysWhere(String grammar, @Nullable String message) {
        if (message == null) {
            check(grammar);
        } else {
            refuses(grammar, message);
        }
    }

    @Test
    void countsLinesAndCharacters() {
        refuses("root ::= a\r\na ::= \"😀中\" %", "grammar 2:12: expected a new line after the rule a, found '%'");
        refuses("root ::= a\ra ::= \"\\q\"", "grammar 2:8: ");
        refuses("root ::= \"\ud83d\"", "grammar 1:11: half of a surrogate pair");
        refuses(
                "root ::= strnig\nstring ::= \"a\"\nstride ::= \"b\"",
                "grammar 1:10: undefined rule strnig; did you mean string?");
        refuses("root ::= \"a\" |\nother ::= \"b\"", "grammar 2:7: expected a new line after the rule root, found ':'");
    }

    @Test
    void leftRecursion() {
        refuses("root ::= root \"a\" | \"b\"", "left recursion, which llama.cpp cannot follow: root -> root;");
        refuses(
                "root ::= expr\nexpr ::= ws term \"+\" | \"1\"\nterm ::= expr | \"2\"\nws ::= \" \"*",
                "expr -> term -> expr;");
        refuses("root ::= \"x\"\na ::= (b \"x\")+\nb ::= a?", "left recursion");
        refuses("root ::= \"a\"?*", "root -> root");
        // Neither of these is noticed by llama.cpp, which takes all memory on the first, and finds nothing to expect in
        // the other.
        refuses("root ::= a | \"x\"\na ::= n root \"y\"\nn ::= m\nm ::= \"\"", "left recursion");
        refuses("root ::= \"x\" a\na ::= n a\nn ::= m\nm ::= \"\"", "rule a only comes back to itself: a -> a");
    }

    @Test
    void depth() {
        check("root ::= " + "(".repeat(200) + "\"a\"" + ")".repeat(200));
        refuses("root ::= " + "(".repeat(201) + "\"a\"" + ")".repeat(201), "nested deeper than 200");
        refuses("root ::= " + "(".repeat(500_000), "nested deeper than 200");
        check(chain(2400));
        refuses(chain(2600), "more than 2500 rules begin with one another");
        refuses(chain(30_000), "more than 2500 rules begin with one another");
    }

    private static String chain(int length) {
        StringBuilder grammar = new StringBuilder("root ::= r0\n");
        for (int i = 0; i < length; i++) {
            grammar.append("r" + i + " ::= r" + (i + 1) + " \"x\"\n");
        }
        return grammar + "r" + length + " ::= \"y\"";
    }

    @Test
    void size() {
        refuses("root ::= \"" + "a".repeat(3000) + "\"{1999}", "4000000 elements");
        refuses("#".repeat(2_000_000), "2000000 characters");
        refuses("root ::= \"a\" x{0,1000}\nx ::= y{0,1000}\ny ::= \"b\"{0,1000}", "can begin in 50000 ways or more");
        StringBuilder twice = new StringBuilder("root ::= r0\n");
        for (int i = 0; i < 60; i++) {
            twice.append("r" + i + " ::= r" + (i + 1) + " | r" + (i + 1) + "\n");
        }
        refuses(twice + "r60 ::= \"x\"", "too many ways");
    }

    @Test
    void follows() {
        String number = "root ::= \"-\"? int (\".\" [0-9]+)?\nint ::= \"0\" | [1-9] [0-9]*";
        assertThat(matches(number, "-120.50")).isTrue();
        assertThat(matches(number, "0")).isTrue();
        assertThat(matches(number, "01")).isFalse();
        assertThat(matches(number, "1.")).isFalse();
        String counts = "root ::= \"a\"{2} \"b\"{1,} \"c\"{0,2} [^x-z]{1,3}";
        assertThat(matches(counts, "aabq")).isTrue();
        assertThat(matches(counts, "aabbccqqq")).isTrue();
        assertThat(matches(counts, "abq")).isFalse();
        assertThat(matches(counts, "aabccqqqq")).isFalse();
        assertThat(matches(counts, "aabx")).isFalse();
        assertThat(matches("root ::= (\"a\"?)* \"b\"", "aaab")).isTrue();
        assertThat(matches("root ::= \"(\" root \")\" | \"\"", "((()))")).isTrue();
        assertThat(matches("root ::= \"(\" root \")\" | \"\"", "((())")).isFalse();
        assertThat(matches("root ::= [一-鿿]+ .", "中文😀")).isTrue();
    }

    @Test
    void followsBytes() {
        GrammarState state = check("root ::= \"中\" [0-9]");
        byte[] bytes = "中".getBytes(StandardCharsets.UTF_8);
        state = state.after(0, new byte[] {bytes[0]});
        assertThat(state).isNotNull();
        assertThat(state.mayEnd()).isFalse();
        assertThat(state.after(0, "1".getBytes(StandardCharsets.UTF_8))).isNull();
        assertThat(state.after(0, new byte[] {bytes[1], '1'})).isNull();
        assertThat(state.after(0, new byte[] {bytes[1]})).isNotNull();
        assertThat(state.after(0, new byte[] {bytes[1], bytes[2], 'x'})).isNull();
        state = state.after(0, new byte[] {bytes[1], bytes[2], '1'});
        assertThat(state).isNotNull();
        assertThat(state.mayEnd()).isTrue();
    }

    @Test
    void followsTokens() {
        byte[] ab = "ab".getBytes(StandardCharsets.UTF_8);
        byte[] a = "a".getBytes(StandardCharsets.UTF_8);
        GrammarState state = check("root ::= \"a\" !<[5]>");
        assertThat(state.after(3, ab)).isNull();
        state = state.after(3, a);
        assertThat(state).isNotNull();
        assertThat(state.after(5, ab)).isNull();
        assertThat(state.after(6, ab)).isNotNull();
        assertThat(check("root ::= <think>").after(7, ab)).isNotNull();
        assertThat(check("root ::= <think>").after(6, ab)).isNull();
        assertThat(check("root ::= .*").after(7, new byte[0])).isNull();
    }
}
