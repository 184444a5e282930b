package org.panallama.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.panallama.spi.BindingUnderTest.ANSWER;
import static org.panallama.spi.BindingUnderTest.BINDING;
import static org.panallama.spi.BindingUnderTest.PROMPT;
import static org.panallama.spi.BindingUnderTest.decode;
import static org.panallama.spi.BindingUnderTest.loadModel;
import static org.panallama.spi.BindingUnderTest.newContext;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** What every binding must do, against the real library: samplers, custom ones too, and candidates. */
@Tag("native")
class SamplerContractTest {

    private static final int ENTRY_BYTES = 12;

    private static long model;
    private static long vocab;
    private static int vocabSize;
    private static long context;

    @BeforeAll
    static void load() {
        model = loadModel();
        vocab = BINDING.modelVocab(model);
        vocabSize = BINDING.vocabSize(vocab);
        context = newContext(model, 0, false);
        decode(context, PROMPT, 0, 0);
    }

    @AfterAll
    static void unload() {
        BINDING.contextFree(context);
        BINDING.modelFree(model);
    }

    /** Every factory: made, cloned, put before a greedy sampler, asked for a token, reset, freed. */
    @TestFactory
    List<DynamicTest> factories() {
        return List.of(
                works("greedy", BINDING::samplerGreedy),
                works("dist", () -> BINDING.samplerDist(42)),
                works("top-k", () -> BINDING.samplerTopK(40)),
                works("top-p", () -> BINDING.samplerTopP(0.9f, 1)),
                works("min-p", () -> BINDING.samplerMinP(0.05f, 1)),
                works("typical", () -> BINDING.samplerTypical(0.9f, 1)),
                works("temp", () -> BINDING.samplerTemperature(0.7f)),
                works("temp-ext", () -> BINDING.samplerDynamicTemperature(0.7f, 0.2f, 1)),
                works("xtc", () -> BINDING.samplerXtc(0.5f, 0.6f, 1, 42)),
                works("top-n-sigma", () -> BINDING.samplerTopNSigma(1)),
                works("mirostat", () -> BINDING.samplerMirostat(vocabSize, 42, 5, 0.1f, 100)),
                works("mirostat-v2", () -> BINDING.samplerMirostatV2(42, 5, 0.1f)),
                works("grammar", () -> BINDING.samplerGrammar(vocab, "root ::= [ A-Za-z]+", "root")),
                works("penalties", () -> BINDING.samplerPenalties(vocabSize, 64, 1.1f, 0, 0)),
                works("dry", () -> BINDING.samplerDry(vocab, 0.8f, 1.75f, 2, -1, new String[] {"\n", ":", "。"})),
                works("adaptive-p", () -> BINDING.samplerAdaptiveP(0.5f, 0.9f, 42)),
                works(
                        "logit-bias",
                        () -> BINDING.samplerLogitBias(vocabSize, new int[] {5, 6}, new float[] {-1, 0.5f})),
                works("infill", () -> BINDING.samplerInfill(vocab)));
    }

    private interface Factory {
        long make();
    }

    private static DynamicTest works(String name, Factory factory) {
        return DynamicTest.dynamicTest(name, () -> {
            long sampler = factory.make();
            assertThat(sampler).isNotZero();
            assertThat(BINDING.samplerName(sampler)).contains(name);
            long clone = BINDING.samplerClone(sampler);
            assertThat(BINDING.samplerName(clone)).isEqualTo(BINDING.samplerName(sampler));
            for (long each : new long[] {sampler, clone}) {
                long chain = chain(each, BINDING.samplerGreedy());
                assertThat(BINDING.chainCount(chain)).isEqualTo(2);
                assertThat(BINDING.chainGet(chain, 0)).isEqualTo(each);
                assertThat(BINDING.chainGet(chain, 2)).isZero();
                assertThat(BINDING.samplerSample(chain, context, -1)).isEqualTo(ANSWER[0]);
                BINDING.samplerReset(chain);
                BINDING.samplerFree(chain);
            }
        });
    }

    @Test
    void seeds() {
        long dist = BINDING.samplerDist(0xFFFFFFFE);
        assertThat(BINDING.samplerSeed(dist)).isEqualTo(0xFFFFFFFE);
        BINDING.samplerFree(dist);
    }

    @Test
    void invalidGrammarIsRefused() {
        assertThat(BINDING.samplerGrammar(vocab, "root ::= (", "root")).isZero();
        assertThat(BINDING.samplerGrammar(vocab, "root ::= \"a\"", "nowhere")).isZero();
    }

    @Test
    void grammarForcesItsLanguage() {
        long chain = chain(BINDING.samplerGrammar(vocab, "root ::= \"日本\"", "root"), BINDING.samplerGreedy());
        int token = BINDING.samplerSample(chain, context, -1);
        assertThat("日本").startsWith(new String(BINDING.tokenToPiece(vocab, token, false), StandardCharsets.UTF_8));
        BINDING.samplerFree(chain);
    }

    @Test
    void logitBiasForbidsTokens() {
        long chain = chain(
                BINDING.samplerLogitBias(vocabSize, new int[] {ANSWER[0]}, new float[] {Float.NEGATIVE_INFINITY}),
                BINDING.samplerGreedy());
        assertThat(BINDING.samplerSample(chain, context, -1)).isNotEqualTo(ANSWER[0]);
        BINDING.samplerFree(chain);
    }

    @Test
    void candidates() {
        long candidates = BINDING.candidatesNew(3);
        BINDING.candidatesReset(candidates, 3);
        assertThat(BINDING.candidatesSize(candidates)).isEqualTo(3);
        assertThat(BINDING.candidatesSelected(candidates)).isEqualTo(-1);
        assertThat(BINDING.candidatesSorted(candidates)).isFalse();
        ByteBuffer entries = BINDING.view(BINDING.candidatesData(candidates), 3 * ENTRY_BYTES);
        for (int i = 0; i < 3; i++) {
            entries.putInt(i * ENTRY_BYTES, 100 + i).putFloat(i * ENTRY_BYTES + 4, i);
        }
        long topK = BINDING.samplerTopK(2);
        BINDING.samplerApply(topK, candidates);
        BINDING.samplerFree(topK);
        assertThat(BINDING.candidatesSize(candidates)).isEqualTo(2);
        assertThat(BINDING.candidatesSorted(candidates)).isTrue();
        entries = BINDING.view(BINDING.candidatesData(candidates), 2 * ENTRY_BYTES);
        assertThat(entries.getInt(0)).isEqualTo(102);
        assertThat(entries.getInt(ENTRY_BYTES)).isEqualTo(101);
        long greedy = BINDING.samplerGreedy();
        BINDING.samplerApply(greedy, candidates);
        BINDING.samplerFree(greedy);
        assertThat(BINDING.candidatesSelected(candidates)).isZero();
        BINDING.candidatesFree(candidates);
    }

    /** Selects a token by its id, and writes down what happens to it and to its copies. */
    private record Choose(String name, int token, List<String> events) implements CustomSamplerCalls {

        @Override
        public void accept(int accepted) {
            events.add(name + " accept " + accepted);
        }

        @Override
        public void apply(long candidates) {
            int size = (int) BINDING.candidatesSize(candidates);
            ByteBuffer entries = BINDING.view(BINDING.candidatesData(candidates), size * ENTRY_BYTES);
            for (int i = 0; i < size; i++) {
                if (entries.getInt(i * ENTRY_BYTES) == token) {
                    BINDING.candidatesSetSelected(candidates, i);
                }
            }
            events.add(name + " apply");
        }

        @Override
        public void reset() {
            events.add(name + " reset");
        }

        @Override
        public CustomSamplerCalls copy() {
            return new Choose(name + "'", token, events);
        }

        @Override
        public void freed() {
            events.add(name + " freed");
        }
    }

    @Test
    void customSampler() {
        List<String> events = new ArrayList<>();
        long chain = chain(BINDING.samplerCustom(new Choose("选择", 777, events)));
        assertThat(BINDING.samplerName(BINDING.chainGet(chain, 0))).isEqualTo("选择");
        assertThat(BINDING.samplerSample(chain, context, -1)).isEqualTo(777);
        long clone = BINDING.samplerClone(chain);
        BINDING.samplerFree(chain);
        BINDING.samplerReset(clone);
        assertThat(BINDING.samplerSample(clone, context, -1)).isEqualTo(777);
        BINDING.samplerFree(clone);
        assertThat(events)
                .containsExactly(
                        "选择 apply",
                        "选择 accept 777",
                        "选择 freed",
                        "选择' reset",
                        "选择' apply",
                        "选择' accept 777",
                        "选择' freed");
    }

    private record Throwing(String name) implements CustomSamplerCalls {

        @Override
        public void accept(int token) {
            throw new IllegalStateException("thrown by a custom sampler, on purpose");
        }

        @Override
        public void apply(long candidates) {
            throw new StackOverflowError("thrown by a custom sampler, on purpose");
        }

        @Override
        public void reset() {
            throw new IllegalStateException("thrown by a custom sampler, on purpose");
        }

        @Override
        public CustomSamplerCalls copy() {
            throw new IllegalStateException("thrown by a custom sampler, on purpose");
        }

        @Override
        public void freed() {
            throw new IllegalStateException("thrown by a custom sampler, on purpose");
        }
    }

    @Test
    void customSamplerThatThrowsDoesNoHarm() {
        long chain = chain(BINDING.samplerCustom(new Throwing("throwing")), BINDING.samplerGreedy());
        assertThat(BINDING.samplerSample(chain, context, -1)).isEqualTo(ANSWER[0]);
        BINDING.samplerReset(chain);
        long clone = BINDING.samplerClone(chain);
        BINDING.samplerFree(chain);
        assertThat(BINDING.samplerSample(clone, context, -1)).isEqualTo(ANSWER[0]);
        BINDING.samplerFree(clone);
    }

    private static long chain(long... samplers) {
        long chain = BINDING.chainNew(false);
        for (long sampler : samplers) {
            BINDING.chainAdd(chain, sampler);
        }
        return chain;
    }
}
