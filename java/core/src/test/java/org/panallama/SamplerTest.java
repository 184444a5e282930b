package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("native")
class SamplerTest {

    private static final int FRANCE_FIRST = 870; // "▁Fran"

    private static Model model;
    private Context context;

    @BeforeAll
    static void load() {
        model = Tiny.model();
    }

    @AfterAll
    static void closeModel() {
        model.close();
    }

    @BeforeEach
    void open() {
        context = model.newContext(Tiny.context().build());
        context.decode(model.vocab().tokenize(Tiny.FRANCE));
    }

    @AfterEach
    void close() {
        context.close();
    }

    private String poem(Sampler sampler) {
        return context.generate(
                        Tiny.POEM,
                        sampler,
                        GenerationOptions.builder().maxTokens(20).build())
                .text();
    }

    static List<UnaryOperator<Sampler.Builder>> settings() {
        return List.of(
                b -> b.topK(10),
                b -> b.topP(0.9f),
                b -> b.minP(0.1f),
                b -> b.typicalP(0.9f),
                b -> b.topNSigma(1.5f),
                b -> b.xtc(0.5f, 0.1f),
                b -> b.temperature(1.5f),
                b -> b.dynamicTemperature(1, 0.5f, 1),
                b -> b.repeatPenalty(1.1f)
                        .frequencyPenalty(0.1f)
                        .presencePenalty(0.1f)
                        .penaltyLastN(32),
                b -> b.dry(Dry.usual()),
                b -> b.logitBias(5, -1).logitBias(6, Float.NEGATIVE_INFINITY),
                b -> b.mirostat(5, 0.1f, 100),
                b -> b.mirostatV2(5, 0.1f),
                b -> b.adaptiveP(0.5f, 0.9f),
                b -> b.infill().topK(20).topP(0.9f),
                b -> b.custom(candidates -> {}),
                b -> b.topK(40).topP(0.95f).minP(0.05f).temperature(0.8f).minKeep(2));
    }

    @ParameterizedTest
    @MethodSource("settings")
    void aSeedGivesTheSameTextAgain(UnaryOperator<Sampler.Builder> setting) {
        try (Sampler first = setting.apply(Sampler.builder()).seed(42).build();
                Sampler second = setting.apply(Sampler.builder()).seed(42).build(model)) {
            String text = poem(first);
            assertThat(text).isNotEmpty();
            assertThat(poem(second)).isEqualTo(text);
        }
    }

    @Test
    void differentSeedsDiffer() {
        try (Sampler one = Sampler.builder().temperature(3).seed(1).build();
                Sampler two = Sampler.builder().temperature(3).seed(2).build()) {
            assertThat(poem(one)).isNotEqualTo(poem(two));
        }
    }

    @Test
    void resetStartsTheRandomNumbersAgain() {
        try (Sampler sampler = Sampler.builder().temperature(3).seed(7).build()) {
            String first = poem(sampler);
            assertThat(poem(sampler)).as("random numbers go on").isNotEqualTo(first);
            sampler.reset();
            assertThat(poem(sampler)).isEqualTo(first);
        }
    }

    @Test
    void aCopyGoesOnFromTheSameState() {
        try (Sampler sampler = Sampler.builder().temperature(3).seed(7).build()) {
            sampler.sample(context, -1);
            try (Sampler copy = sampler.copy()) {
                for (int i = 0; i < 20; i++) {
                    assertThat(copy.sample(context, -1)).isEqualTo(sampler.sample(context, -1));
                }
            }
        }
        try (Sampler unbound = Sampler.builder().temperature(3).seed(7).build();
                Sampler copy = unbound.copy()) {
            assertThat(copy.sample(context, -1)).isEqualTo(unbound.sample(context, -1));
        }
    }

    @Test
    void biasesForbidAndForce() {
        try (Sampler forbidden = Sampler.builder()
                        .temperature(0)
                        .logitBias(FRANCE_FIRST, Float.NEGATIVE_INFINITY)
                        .build();
                Sampler forced =
                        Sampler.builder().temperature(0).logitBias(1234, 1000).build()) {
            assertThat(forbidden.sample(context, -1)).isEqualTo(662);
            assertThat(forced.sample(context, -1)).isEqualTo(1234);
        }
    }

    @Test
    void penaltiesLookBackAtThePrompt() {
        int[] prompt = {1, FRANCE_FIRST, FRANCE_FIRST, FRANCE_FIRST};
        try (Sampler greedy = Sampler.greedy();
                Sampler penalised =
                        Sampler.builder().temperature(0).presencePenalty(1000).build()) {
            GenerationOptions one = GenerationOptions.builder()
                    .maxTokens(8)
                    .ignoreEndOfGeneration(true)
                    .build();
            context.generate(prompt, greedy, one).text();
            Generation generation = context.generate(prompt, penalised, one);
            generation.text();
            assertThat(generation.tokens()).doesNotContain(FRANCE_FIRST).doesNotHaveDuplicates();
        }
    }

    @Test
    void probabilitiesAreOfWhatIsLeft() {
        try (Sampler all = Sampler.builder().temperature(1).seed(1).build();
                Sampler three = Sampler.builder().topK(3).temperature(2).seed(1).build()) {
            List<TokenProbability> likeliest = all.probabilities(context, -1, 5);
            assertThat(likeliest).hasSize(5);
            assertThat(likeliest.get(0).token()).isEqualTo(FRANCE_FIRST);
            assertThat(likeliest.get(0).probability()).isGreaterThan(0.9f);

            List<TokenProbability> left = three.probabilities(context, -1, 100);
            assertThat(left).hasSize(3);
            double sum =
                    left.stream().mapToDouble(TokenProbability::probability).sum();
            assertThat(sum).isCloseTo(1, within(1e-5));
            assertThat(three.probabilities(context, -1, 100))
                    .as("asking changes nothing")
                    .isEqualTo(left);
        }
    }

    @Test
    void aCustomSamplerSeesAndChangesCandidates() {
        List<Integer> accepted = new ArrayList<>();
        int[] resets = {0};
        CustomSampler custom = new CustomSampler() {
            @Override
            public void apply(Candidates candidates) {
                assertThat(candidates.size()).isEqualTo(5120);
                for (int i = 0; i < candidates.size(); i++) {
                    if (candidates.token(i) == FRANCE_FIRST) {
                        candidates.setLogit(i, Float.NEGATIVE_INFINITY);
                    }
                }
            }

            @Override
            public void accept(int token) {
                accepted.add(token);
            }

            @Override
            public void reset() {
                resets[0]++;
            }
        };
        try (Sampler sampler = Sampler.builder().temperature(0).custom(custom).build()) {
            assertThat(sampler.sample(context, -1)).isEqualTo(662);
            sampler.accept(9);
            sampler.reset();
        }
        assertThat(accepted).containsExactly(662, 9);
        assertThat(resets[0]).isOne();
    }

    @Test
    void anExceptionOfACustomSamplerComesOut() {
        try (Sampler sampler = Sampler.builder()
                        .custom(candidates -> {
                            throw new IllegalStateException("mine");
                        })
                        .build();
                Sampler idle = Sampler.builder().selector(candidates -> {}).build();
                Sampler outside = Sampler.builder()
                        .selector(candidates -> candidates.select(candidates.size()))
                        .build();
                Sampler cutting = Sampler.builder()
                        .selector(candidates -> {
                            candidates.select(5);
                            candidates.truncate(2);
                        })
                        .build();
                Sampler emptying = Sampler.builder()
                        .custom(candidates -> candidates.truncate(0))
                        .build()) {
            assertThatThrownBy(() -> sampler.sample(context, -1)).hasMessage("mine");
            assertThatThrownBy(() -> idle.sample(context, -1)).hasMessageContaining("chose no token");
            assertThatThrownBy(() -> outside.sample(context, -1)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> cutting.sample(context, -1)).hasMessageContaining("chose no token");
            assertThatThrownBy(() -> emptying.sample(context, -1)).isInstanceOf(IllegalArgumentException.class);
        }
        try (Sampler greedy = Sampler.greedy()) {
            assertThat(greedy.sample(context, -1)).isEqualTo(FRANCE_FIRST);
        }
    }

    @Test
    void aCustomSamplerCutsToOne() {
        try (Sampler one = Sampler.builder()
                .temperature(3)
                .topK(50)
                .custom(candidates -> candidates.truncate(1))
                .build()) {
            assertThat(one.sample(context, -1)).isEqualTo(FRANCE_FIRST);
        }
    }

    @Test
    void samplingWithoutOutputIsRefused() {
        try (Sampler greedy = Sampler.greedy();
                Context fresh = model.newContext(Tiny.context().build())) {
            assertThatThrownBy(() -> greedy.sample(fresh, -1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> greedy.sample(context, 0)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> greedy.sample(context, 99)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void aSamplerIsBoundToOneModel() {
        try (Model other = Tiny.model();
                Context otherContext = other.newContext(Tiny.context().build());
                Sampler greedy = Sampler.greedy()) {
            greedy.sample(context, -1);
            otherContext.decode(1);
            assertThatThrownBy(() -> greedy.sample(otherContext, -1))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("bound to");
        }
    }

    @Test
    void badValuesAreRefusedWhereTheyAreSet() {
        Sampler.Builder builder = Sampler.builder();
        assertRefused(() -> builder.temperature(-0.1f), "-0.1");
        assertRefused(() -> builder.temperature(Float.NaN), "NaN");
        assertRefused(() -> builder.topP(1.5f), "1.5");
        assertRefused(() -> builder.minP(-1), "-1.0");
        assertRefused(() -> builder.topK(-1), "-1");
        assertRefused(() -> builder.repeatPenalty(0), "0.0");
        assertRefused(() -> builder.frequencyPenalty(Float.POSITIVE_INFINITY), "Infinity");
        assertRefused(() -> builder.penaltyLastN(-1), "-1");
        assertRefused(() -> builder.mirostat(5, 0.1f, 1), "m is 1");
        assertRefused(() -> builder.adaptiveP(0.5f, 1), "0.99");
        assertRefused(() -> builder.logitBias(-1, 0), "-1");
        assertRefused(() -> builder.logitBias(1, Float.NaN), "NaN");
        assertRefused(() -> new Dry(1, 0.5f, 2, 64, List.of()), "0.5");
        assertRefused(() -> new Dry(1, 1.5f, 2, 64, List.of("")), "empty");
        assertThatThrownBy(() -> Sampler.builder().logitBias(5120, 1).build(model))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessageContaining("5120");
    }

    private static void assertRefused(Runnable call, String part) {
        assertThatThrownBy(call::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(part);
    }
}
