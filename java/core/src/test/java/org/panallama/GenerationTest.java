package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("native")
class GenerationTest {

    private static Model model;
    private Context context;
    private Sampler greedy;

    @BeforeAll
    static void loadModel() {
        model = Tiny.model();
    }

    @AfterAll
    static void closeModel() {
        model.close();
    }

    @BeforeEach
    void open() {
        context = model.newContext(Tiny.context().build());
        greedy = Sampler.greedy();
    }

    @AfterEach
    void close() {
        context.close();
        greedy.close();
    }

    private static GenerationOptions.Builder options() {
        return GenerationOptions.builder();
    }

    static List<TinyExpectation> expectations() {
        return TinyExpectation.all();
    }

    @ParameterizedTest
    @MethodSource("expectations")
    void greedyTokensEqualAnotherImplementation(TinyExpectation expected) {
        int[] prompt = model.vocab().tokenize(expected.prompt());
        assertThat(prompt).containsExactly(expected.promptIds());

        Generation generation = context.generate(
                prompt,
                greedy,
                options()
                        .maxTokens(expected.ids().length + (expected.ended() ? 1 : 0))
                        .build());
        assertThat(generation.text().stripLeading()).isEqualTo(expected.text());

        int[] tokens = generation.tokens();
        for (int i = 0; i < expected.ids().length; i++) {
            assertThat(tokens[i]).as("token %d", i).isEqualTo(expected.ids()[i]);
        }
        if (expected.ended()) {
            assertThat(generation.finishReason()).contains(FinishReason.END_OF_GENERATION);
            assertThat(tokens[tokens.length - 1]).isEqualTo(model.vocab().eos());
        } else {
            assertThat(generation.finishReason()).contains(FinishReason.MAX_TOKENS);
        }
    }

    @ParameterizedTest
    @MethodSource("expectations")
    void firstLogitsEqualAnotherImplementation(TinyExpectation expected) {
        context.decode(expected.promptIds());
        FloatView logits = context.logits(-1);
        assertThat(logits.argMax()).isEqualTo((int) expected.topFirst().get(0)[0]);
        for (double[] top : expected.topFirst()) {
            // F16 weights, F16 KV cache and F16 activations in the matrix products against float32.
            assertThat((double) logits.get((int) top[0])).isCloseTo(top[1], within(0.05));
        }
    }

    @Test
    void streamsPiecesThatNeverSplitACharacter() {
        List<String> pieces = context
                .generate(Tiny.POEM, greedy, options().maxTokens(24).build())
                .stream()
                .toList();
        assertThat(pieces)
                .hasSizeGreaterThan(5)
                .allSatisfy(piece -> assertThat(piece).isNotEmpty().doesNotContain("\uFFFD"));
        assertThat(String.join("", pieces)).startsWith("李白\n床前明月光");
    }

    @Test
    void bytesOfACharacterOutsideTheVocabularyComeTogether() {
        // The emoji is four byte tokens; a selector plays them back one at a time.
        int[] bytes = model.vocab().tokenize("😀", false, false);
        assertThat(bytes.length).isGreaterThan(4);
        int[] next = {0};
        Sampler playback = Sampler.builder()
                .selector(candidates -> {
                    int wanted = bytes[next[0]++];
                    for (int i = 0; i < candidates.size(); i++) {
                        if (candidates.token(i) == wanted) {
                            candidates.select(i);
                        }
                    }
                })
                .build();
        try (playback) {
            List<String> pieces =
                    context
                            .generate(
                                    Tiny.FRANCE,
                                    playback,
                                    options().maxTokens(bytes.length).build())
                            .stream()
                            .toList();
            assertThat(String.join("", pieces).strip()).isEqualTo("😀");
            assertThat(pieces.get(pieces.size() - 1)).endsWith("😀");
        }
    }

    @Test
    void anIncompleteCharacterAtTheEndBecomesAReplacementCharacter() {
        int first = model.vocab().tokenize("😀", false, false)[1];
        Sampler one = Sampler.builder().logitBias(first, 1000).temperature(0).build();
        try (one) {
            assertThat(context.generate(Tiny.FRANCE, one, options().maxTokens(1).build())
                            .text())
                    .isEqualTo("\uFFFD");
        }
    }

    @Test
    void stopStringsAreFoundAcrossTokensAndCutOut() {
        Generation generation = context.generate(
                Tiny.POEM, greedy, options().stop("月光，疑", "never").build());
        String text = generation.stream().collect(Collectors.joining());
        assertThat(text).isEqualTo("李白\n床前明");
        assertThat(generation.finishReason()).contains(FinishReason.STOP_STRING);
    }

    @Test
    void textHeldBackForAStopStringComesAtTheEnd() {
        Generation generation =
                context.generate(Tiny.FRANCE, greedy, options().stop("France!").build());
        assertThat(generation.text()).isEqualTo(" France");
        assertThat(generation.finishReason()).contains(FinishReason.END_OF_GENERATION);
    }

    @Test
    void maxTokensZeroGeneratesNothing() {
        Generation generation =
                context.generate(Tiny.FRANCE, greedy, options().maxTokens(0).build());
        assertThat(generation.text()).isEmpty();
        assertThat(generation.finishReason()).contains(FinishReason.MAX_TOKENS);
        assertThat(generation.tokens()).isEmpty();
    }

    @Test
    void theEndOfGenerationCanBeIgnoredAndShown() {
        Generation on = context.generate(
                Tiny.FRANCE,
                greedy,
                options().ignoreEndOfGeneration(true).maxTokens(6).build());
        on.text();
        assertThat(on.tokens()).hasSize(6);

        Generation shown = context.generate(
                Tiny.FRANCE, greedy, options().showSpecial(true).build());
        assertThat(shown.text()).isEqualTo(" France</s>");
    }

    @Test
    void theLeadingSpaceCanBeStripped() {
        GenerationOptions stripped = options().stripLeadingSpace(true).build();
        assertThat(context.generate(Tiny.FRANCE, greedy, stripped).stream())
                .first()
                .isEqualTo("Fran");
    }

    @Test
    void usageAndTimingsCount() {
        Generation generation = context.generate(Tiny.FRANCE, greedy);
        generation.text();
        assertThat(generation.usage()).isEqualTo(new Usage(11, 0, 3));
        Timings timings = generation.timings();
        assertThat(timings.promptTokens()).isEqualTo(11);
        assertThat(timings.promptTime()).isPositive();
        assertThat(timings.generatedTokensPerSecond()).isPositive();
        assertThat(generation.timings()).as("stand still at the end").isEqualTo(timings);
    }

    @Test
    void aPromptReusesWhatTheContextRemembers() {
        context.generate(Tiny.FRANCE, greedy).text();
        Generation again = context.generate(Tiny.FRANCE, greedy);
        assertThat(again.text()).isEqualTo(" France");
        assertThat(again.usage().reusedTokens()).isEqualTo(10);

        context.memory().remove(0, 5, ContextMemory.END);
        Generation afterwards = context.generate(Tiny.FRANCE, greedy);
        assertThat(afterwards.text()).isEqualTo(" France");
        assertThat(afterwards.usage().reusedTokens())
                .as("the memory was changed")
                .isZero();
    }

    @Test
    void logprobsAreOfTheModelAlone() {
        Generation generation =
                context.generate(Tiny.FRANCE, greedy, options().logprobs(3).build());
        generation.text();
        List<TokenLogprob> logprobs = generation.logprobs();
        assertThat(logprobs).hasSize(3);
        TokenLogprob first = logprobs.get(0);
        assertThat(first.token()).isEqualTo(870);
        assertThat(first.top()).hasSize(3);
        assertThat(first.top().get(0).token()).isEqualTo(870);
        assertThat(first.top().get(0).logprob()).isEqualTo(first.logprob());
        assertThat(first.top().get(1).logprob()).isLessThan(first.logprob());
        double sum =
                first.top().stream().mapToDouble(t -> Math.exp(t.logprob())).sum();
        assertThat(sum).isBetween(0.9, 1.0);
    }

    @Test
    void aFullContextStopsFailsOrShifts() {
        try (Context small = model.newContext(Tiny.context().length(256).build())) {
            int room = small.sequenceLength();
            GenerationOptions.Builder endless = options().ignoreEndOfGeneration(true);

            Generation stopped = small.generate(Tiny.POEM, greedy, endless.build());
            stopped.text();
            assertThat(stopped.finishReason()).contains(FinishReason.CONTEXT_FULL);
            // The last token is chosen, but has no place in the context.
            assertThat(stopped.usage().promptTokens() + stopped.tokens().length).isEqualTo(room + 1);

            Generation failing = small.generate(
                    Tiny.POEM, greedy, endless.whenFull(ContextFullPolicy.FAIL).build());
            assertThatThrownBy(failing::text)
                    .isInstanceOf(ContextFullException.class)
                    .hasMessageContaining("256");

            Generation shifting = small.generate(
                    Tiny.POEM,
                    greedy,
                    endless.whenFull(ContextFullPolicy.SHIFT)
                            .keep(4)
                            .maxTokens(600)
                            .build());
            shifting.text();
            assertThat(shifting.finishReason()).contains(FinishReason.MAX_TOKENS);
            assertThat(shifting.tokens()).hasSize(600);
        }
    }

    @Test
    void aPromptLongerThanTheContextIsRefused() {
        String prompt = "床前明月光，".repeat(200);
        assertThatThrownBy(() -> context.generate(prompt, greedy))
                .isInstanceOf(ContextFullException.class)
                .hasMessageContaining("512")
                .hasMessageContaining("ContextOptions.length()");
    }

    @Test
    void aPromptLongerThanTheBatchIsDecodedInPieces() {
        String prompt = "床前明月光，疑是地上霜。".repeat(20) + Tiny.FRANCE;
        String whole = context.generate(prompt, greedy, options().maxTokens(20).build())
                .text();
        try (Context pieces =
                model.newContext(Tiny.context().batch(16).microBatch(8).build())) {
            assertThat(pieces.batchSize()).isEqualTo(16);
            assertThat(pieces.generate(prompt, greedy, options().maxTokens(20).build())
                            .text())
                    .isEqualTo(whole);
        }
    }

    @Test
    void badPromptsAreRefused() {
        assertThatThrownBy(() -> context.generate(new int[0], greedy, options().build()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() ->
                        context.generate(new int[] {1, 5120}, greedy, options().build()))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessageContaining("5120")
                .hasMessageContaining("5119");
        assertThatThrownBy(
                        () -> context.generate(new int[] {-1}, greedy, options().build()))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void aGenerationIsGoneThroughOnce() {
        Generation generation = context.generate(Tiny.FRANCE, greedy);
        generation.forEach(piece -> {});
        assertThatThrownBy(generation::iterator).isInstanceOf(IllegalStateException.class);
        assertThat(generation.text()).isEqualTo(" France");
    }

    @Test
    void cancelEndsItFromTheConsumer() {
        Generation generation = context.generate(
                Tiny.POEM, greedy, options().ignoreEndOfGeneration(true).build());
        List<String> pieces = new ArrayList<>();
        for (String piece : generation) {
            pieces.add(piece);
            if (pieces.size() == 3) {
                generation.cancel();
            }
        }
        assertThat(generation.finishReason()).contains(FinishReason.CANCELLED);
        assertThat(pieces).hasSizeBetween(3, 4);
        assertThat(context.generate(Tiny.FRANCE, greedy).text())
                .as("goes on afterwards")
                .isEqualTo(" France");
    }
}
