package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.panallama.fuzz.RandomGrammar;
import org.panallama.tiny.TinyModel;

/** Text under a grammar, and whatever is done with one: it never ends the process. */
@Tag("native")
class GrammarTest {

    private static final String PROMPT = "[INST] 法国的英文名是什么？ [/INST]"; // whose greedy answer is " Fran", "ce"
    private static final String JSON = """
            root   ::= object
            object ::= "{" ws ( member ("," ws member){0,2} )? "}"
            member ::= string ":" ws value
            value  ::= string | number | "true" | "false" | "null" | list
            list   ::= "[" ws ( scalar ("," ws scalar){0,3} )? "]"
            scalar ::= string | number
            string ::= "\\"" char{0,8} "\\"" ws
            char   ::= [^"\\\\\\x00-\\x1F\\x7F] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F]{4})
            number ::= "-"? ([1-9] [0-9]{0,4} | "0") ("." [0-9]{1,3})? ws
            ws     ::= [ \\n]?
            """;

    private static Model model;
    private static Context context;

    @BeforeAll
    static void load() {
        model = Model.load(TinyModel.path());
        context =
                model.newContext(ContextOptions.builder().length(512).threads(1).build());
    }

    @AfterAll
    static void unload() {
        context.close();
        model.close();
    }

    private static Sampler greedy(Grammar grammar) {
        return Sampler.builder().temperature(0).grammar(grammar).build(model);
    }

    private static Sampler greedy(String rules) {
        return greedy(Grammar.of(rules));
    }

    private static String generate(Sampler sampler, int most) {
        return context.generate(
                        PROMPT,
                        sampler,
                        GenerationOptions.builder().maxTokens(most).build())
                .text();
    }

    private static String answer(Grammar grammar, int most) {
        try (Sampler sampler = greedy(grammar)) {
            return generate(sampler, most);
        }
    }

    /** Lets a sampler choose as if the text before were the prompt. */
    private static int sample(Sampler sampler) {
        context.decode(model.vocab().tokenize(PROMPT));
        return sampler.sample(context, -1);
    }

    private static String samplePiece(Sampler sampler) {
        return model.vocab().piece(sample(sampler));
    }

    /** One token for each character, or for each byte of a character that has none. */
    private static void acceptAll(Sampler sampler, String text) {
        text.codePoints().forEach(c -> {
            String character = Character.toString(c);
            int token = find(character.getBytes(StandardCharsets.UTF_8));
            if (token >= 0) {
                sampler.accept(token);
                return;
            }
            for (byte b : character.getBytes(StandardCharsets.UTF_8)) {
                sampler.accept(find(new byte[] {b}));
            }
        });
    }

    private static int token(String piece) {
        int token = find(piece.getBytes(StandardCharsets.UTF_8));
        assertThat(token).as("a token \"%s\"", piece).isNotNegative();
        return token;
    }

    /** The last token of these bytes, since the first ones are for single bytes. */
    private static int find(byte[] bytes) {
        int token = model.vocab().size() - 1;
        while (token >= 0 && !Arrays.equals(model.vocab().pieceBytes(token, true), bytes)) {
            token--;
        }
        return token;
    }

    @Test
    void json() {
        for (int seed = 0; seed < 12; seed++) {
            try (Sampler sampler =
                    Sampler.builder().temperature(2).seed(seed).grammar(JSON).build(model)) {
                Generation generation = context.generate(
                        PROMPT,
                        sampler,
                        GenerationOptions.builder().maxTokens(400).build());
                String text = generation.text();
                assertThat(generation.finishReason()).as(text).hasValue(FinishReason.END_OF_GENERATION);
                assertThat(JsonText.isValid(text)).as(text).isTrue();
            }
        }
    }

    @Test
    void digits() {
        assertThat(answer(Grammar.of("root ::= [0-9]{12}"), 20)).matches("[0-9]{12}");
        assertThat(answer(Grammar.of("root ::= [0-9]+"), 20)).matches("[0-9]+");
    }

    @Test
    void charactersOfSeveralTokens() {
        assertThat(answer(Grammar.of("root ::= \"龘靐🦄\""), 20)).isEqualTo("龘靐🦄");
        assertThat(answer(Grammar.of("root ::= [🦀-🦄]{3}"), 20)).matches("[🦀-🦄]{3}");
    }

    @Test
    void mistakesSayWhere() {
        assertThatThrownBy(() -> greedy("root ::= \"a\"\n  | [b-\n"))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("2:");
        assertThatThrownBy(() -> greedy("root ::= <nothing-like-it>"))
                .isInstanceOf(GrammarException.class)
                .hasMessageContaining("<nothing-like-it> is not exactly one token");
    }

    @Test
    void tokens() {
        int france = token(" Fran");
        int end = model.vocab().eos();
        assertThat(answer(Grammar.of("root ::= <[" + france + "]>{3}"), 20)).isEqualTo(" Fran Fran Fran");
        try (Sampler sampler = greedy("root ::= !<[" + france + "]> \"!\"")) {
            assertThatThrownBy(() -> sampler.accept(france)).isInstanceOf(GrammarException.class);
            assertThatThrownBy(() -> sampler.accept(end)).isInstanceOf(GrammarException.class);
            sampler.accept(token("a"));
            assertThat(samplePiece(sampler)).isEqualTo("!");
        }
    }

    /** llama.cpp allows "an" here, since it is not the token "x", and then finds that no character may follow "a". */
    @Test
    void tokenRuleWithinAToken() {
        try (Sampler sampler = greedy("root ::= \"a\" !<[" + token("x") + "]> \"!\"")) {
            assertThatThrownBy(() -> sampler.accept(token("an"))).isInstanceOf(GrammarException.class);
            assertThat(samplePiece(sampler)).isEqualTo("a");
            assertThatThrownBy(() -> sampler.accept(token("x"))).isInstanceOf(GrammarException.class);
            sampler.accept(token("an"));
            assertThat(samplePiece(sampler)).isEqualTo("!");
        }
    }

    @Test
    void lazyUntilItsPattern() {
        String free =
                answer(Grammar.lazy("root ::= \"never\"", List.of(Pattern.compile("no such text")), Set.of()), 20);
        assertThat(free).isEqualTo(" France");
        Grammar whole = Grammar.lazy("root ::= \"Fran\" [0-9]{5}", List.of(Pattern.compile("Fr")), Set.of());
        assertThat(answer(whole, 20)).matches(" Fran[0-9]{5}");
        Grammar group = Grammar.lazy("root ::= \"ran\" [0-9]{5}", List.of(Pattern.compile("F(x)?(r)")), Set.of());
        assertThat(answer(group, 20)).matches(" Fran[0-9]{5}");
        Grammar behind = Grammar.lazy("root ::= [0-9]{5}", List.of(Pattern.compile("France()")), Set.of());
        assertThatThrownBy(() -> answer(behind, 20)).isInstanceOf(GrammarException.class);
    }

    @Test
    void lazyUntilItsToken() {
        Grammar grammar = Grammar.lazy("root ::= \" Fran\" [0-9]{3}", List.of(), Set.of(token(" Fran")));
        assertThat(answer(grammar, 20)).matches(" Fran[0-9]{3}");
        try (Sampler sampler = greedy(grammar)) {
            acceptAll(sampler, "anything at all, 日本 and so on");
            assertThat(sample(sampler))
                    .as("unconstrained, so the model's own choice")
                    .isEqualTo(token(" Fran"));
            assertThat(samplePiece(sampler)).matches("[0-9]+");
        }
    }

    @Test
    void lazyWithinCharacters() {
        Grammar grammar = Grammar.lazy("root ::= \"🦄\" [0-9]{3}", List.of(Pattern.compile("🦄|龘(x)")), Set.of());
        try (Sampler sampler = greedy(grammar)) {
            acceptAll(sampler, "龘靐");
            acceptAll(sampler, "🦄");
            assertThat(samplePiece(sampler)).matches("[0-9]+");
        }
    }

    /** The trigger comes true, but what it found does not follow the grammar: as if the token had not been. */
    @Test
    void lazyThatDoesNotFollow() {
        Grammar grammar = Grammar.lazy("root ::= \"<a>\" [0-9]{3}", List.of(Pattern.compile("<.>")), Set.of());
        try (Sampler sampler = greedy(grammar)) {
            acceptAll(sampler, "say <b");
            assertThatThrownBy(() -> sampler.accept(token(">"))).isInstanceOf(GrammarException.class);
            acceptAll(sampler, " or 日");
            assertThat(samplePiece(sampler)).isEqualTo(" Fran");
            acceptAll(sampler, "<a>");
            assertThat(samplePiece(sampler)).matches("[0-9]+");
            sampler.reset();
            assertThat(samplePiece(sampler)).isEqualTo(" Fran");
        }
    }

    @Test
    void copiesMidway() {
        try (Sampler sampler = greedy("root ::= [0-9] [a-z] [A-Z] \"日本\"")) {
            sampler.accept(token("7"));
            try (Sampler copy = sampler.copy()) {
                sampler.accept(token("b"));
                assertThatThrownBy(() -> copy.accept(token("B"))).isInstanceOf(GrammarException.class);
                copy.accept(token("c"));
                copy.accept(token("D"));
                copy.reset();
                assertThat(samplePiece(copy)).matches("[0-9]");
            }
            sampler.accept(token("B"));
            try (Sampler copy = sampler.copy()) {
                acceptAll(copy, "日本");
                copy.accept(model.vocab().eos());
            }
        }
    }

    @Test
    void copiesWhileItWaits() {
        Grammar grammar = Grammar.lazy("root ::= \"ab\" [0-9]", List.of(Pattern.compile("ab")), Set.of());
        try (Sampler sampler = greedy(grammar)) {
            sampler.accept(token("a"));
            try (Sampler copy = sampler.copy()) {
                copy.accept(token("b"));
                assertThat(samplePiece(copy)).matches("[0-9]");
            }
            assertThat(samplePiece(sampler)).isEqualTo(" Fran");
        }
    }

    @Test
    void refusedTokensChangeNothing() {
        try (Sampler sampler = greedy("root ::= \"日\" [0-9]{2}")) {
            for (int token = 0; token < model.vocab().size(); token++) {
                if (!model.vocab().piece(token).startsWith("日")) {
                    int refused = token;
                    byte[] bytes = model.vocab().pieceBytes(token, true);
                    if (bytes.length == 1 && bytes[0] == (byte) 0xE6) {
                        continue; // the first byte of the character
                    }
                    assertThatThrownBy(() -> sampler.accept(refused)).isInstanceOf(GrammarException.class);
                }
            }
            // The character has a token of its own; its bytes are as good to the grammar.
            ByteArrayOutputStream character = new ByteArrayOutputStream();
            while (character.size() < "日".getBytes(StandardCharsets.UTF_8).length) {
                character.writeBytes(model.vocab().pieceBytes(sample(sampler), true));
            }
            assertThat(character.toString(StandardCharsets.UTF_8)).isEqualTo("日");
            assertThatThrownBy(() -> sampler.accept(model.vocab().eos())).isInstanceOf(GrammarException.class);
            assertThat(samplePiece(sampler)).matches("[0-9]+");
        }
    }

    @Test
    void deadEnd() {
        try (Sampler sampler = greedy("root ::= \"a\\x00\"")) { // no text has a NUL
            assertThat(samplePiece(sampler)).isEqualTo("a");
            assertThat(sampler.probabilities(context, -1, 5)).hasSizeLessThan(5);
            assertThatThrownBy(() -> generate(sampler, 20))
                    .isInstanceOf(GrammarException.class)
                    .hasMessageContaining("leave no token");
        }
        try (Sampler sampler = greedy("root ::= \"a\" [z-a]")) {
            assertThatThrownBy(() -> generate(sampler, 20)).isInstanceOf(GrammarException.class);
            assertThat(sampler.probabilities(context, -1, 5)).isEmpty();
            assertThatThrownBy(() -> sampler.accept(token("a"))).isInstanceOf(GrammarException.class);
        }
        assertThat(answer(Grammar.of("root ::= \"Japan\""), 20)).isEqualTo("Japan");
    }

    /** Everything that the grammar allows is forbidden otherwise. */
    @Test
    void deadEndByOtherSamplers() {
        Sampler.Builder builder = Sampler.builder().typicalP(0.5f).topP(0.9f).minP(0.1f);
        for (int token = 0; token < model.vocab().size(); token++) {
            if (model.vocab().piece(token).matches("[0-9]")) {
                builder.logitBias(token, Float.NEGATIVE_INFINITY);
            }
        }
        try (Sampler sampler = builder.grammar("root ::= [0-9]").build(model)) {
            assertThatThrownBy(() -> sample(sampler))
                    .isInstanceOf(GrammarException.class)
                    .hasMessageContaining("leave no token");
        }
    }

    @Test
    void endIsChosenAgainAndAgain() {
        try (Sampler sampler = greedy("root ::= \"日\"")) {
            String text = context.generate(
                            PROMPT,
                            sampler,
                            GenerationOptions.builder()
                                    .maxTokens(5)
                                    .ignoreEndOfGeneration(true)
                                    .build())
                    .text();
            assertThat(text).isEqualTo("日");
        }
    }

    @Test
    void tooManyWays() {
        try (Sampler sampler = greedy("root ::= \"a\" root \"b\"? | \"a\" root \"c\"? | \"x\"")) {
            assertThatThrownBy(() -> {
                        for (int i = 0; i < 64; i++) {
                            sampler.accept(token("a"));
                        }
                    })
                    .isInstanceOf(GrammarException.class)
                    .hasMessageContaining("ways");
        }
    }

    @Test
    void randomGrammars() {
        int generated = 0;
        for (int seed = 0; seed < 500; seed++) {
            String rules = RandomGrammar.of(seed, true);
            try (Sampler sampler = greedy(rules)) {
                generated += generate(sampler, 20).length();
            } catch (GrammarException e) {
                assertThat(e).hasMessageNotContaining("llama.cpp refuses");
            }
        }
        assertThat(generated).isPositive();
    }
}
