package org.panallama.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;
import static org.panallama.spi.BindingUnderTest.ANSWER;
import static org.panallama.spi.BindingUnderTest.BINDING;
import static org.panallama.spi.BindingUnderTest.MAX_SEQUENCES;
import static org.panallama.spi.BindingUnderTest.PROMPT;
import static org.panallama.spi.BindingUnderTest.decode;
import static org.panallama.spi.BindingUnderTest.floats;
import static org.panallama.spi.BindingUnderTest.loadModel;
import static org.panallama.spi.BindingUnderTest.newContext;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What every binding must do, against the real library: contexts, batches, memory and state. */
@Tag("native")
class ComputationContractTest {

    private static long model;
    private static int vocabSize;

    private long abortFlag;
    private long context;
    private long memory;

    @BeforeAll
    static void load() {
        model = loadModel();
        vocabSize = BINDING.vocabSize(BINDING.modelVocab(model));
    }

    @AfterAll
    static void unload() {
        BINDING.modelFree(model);
    }

    @BeforeEach
    void open() {
        abortFlag = BINDING.allocate(2);
        context = newContext(model, abortFlag, false);
        memory = BINDING.memory(context);
    }

    @AfterEach
    void close() {
        BINDING.contextFree(context);
        BINDING.free(abortFlag);
    }

    @Test
    void knowsTheContext() {
        assertThat(BINDING.contextLength(context)).isEqualTo(BindingUnderTest.CONTEXT_LENGTH);
        assertThat(BINDING.contextLengthPerSequence(context)).isEqualTo(BindingUnderTest.CONTEXT_LENGTH);
        assertThat(BINDING.contextBatch(context)).isEqualTo(64);
        assertThat(BINDING.contextMicroBatch(context)).isEqualTo(64);
        assertThat(BINDING.contextMaxSequences(context)).isEqualTo(MAX_SEQUENCES);
        assertThat(BINDING.contextPooling(context)).isZero();
        assertThat(BINDING.contextThreads(context)).isEqualTo(1);
        BINDING.contextSetThreads(context, 2, 3);
        assertThat(BINDING.contextThreads(context)).isEqualTo(2);
        assertThat(BINDING.contextThreadsBatch(context)).isEqualTo(3);
        BINDING.contextSetCausalAttention(context, true);
        BINDING.contextSynchronize(context);
    }

    @Test
    void batchArraysHaveTheirShapes() {
        long tokens = BINDING.batchNew(5, 0, 3);
        BatchArrays arrays = BINDING.batchArrays(tokens);
        assertThat(arrays.tokens().capacity()).isEqualTo(5 * Integer.BYTES);
        assertThat(arrays.embeddings()).isNull();
        assertThat(arrays.positions().capacity()).isEqualTo(5 * Integer.BYTES);
        assertThat(arrays.sequenceCounts().capacity()).isEqualTo(5 * Integer.BYTES);
        assertThat(arrays.sequences().capacity()).isEqualTo(5 * 3 * Integer.BYTES);
        assertThat(arrays.outputs().capacity()).isEqualTo(5);
        BINDING.batchFree(tokens);
        long embeddings = BINDING.batchNew(5, 7, 1);
        assertThat(BINDING.batchArrays(embeddings).tokens()).isNull();
        assertThat(BINDING.batchArrays(embeddings).embeddings().capacity()).isEqualTo(5 * 7 * Float.BYTES);
        BINDING.batchFree(embeddings);
    }

    @Test
    void greedyAnswerIsTheExpectedOne() {
        assertThat(decode(context, PROMPT, 0, 0)).isZero();
        float[] logits = floats(BINDING.logits(context, -1), vocabSize);
        assertThat(logits[ANSWER[0]]).isCloseTo(21.638f, offset(0.2f));
        for (int i = 0; i < ANSWER.length; i++) {
            int best = argmax(floats(BINDING.logits(context, -1), vocabSize));
            assertThat(best).isEqualTo(ANSWER[i]);
            assertThat(decode(context, new int[] {best}, PROMPT.length + i, 0)).isZero();
        }
        int end = argmax(floats(BINDING.logits(context, -1), vocabSize));
        assertThat(BINDING.vocabIsEndOfGeneration(BINDING.modelVocab(model), end))
                .isTrue();
    }

    @Test
    void runsAreEqual() {
        decode(context, PROMPT, 0, 0);
        float[] first = floats(BINDING.logits(context, PROMPT.length - 1), vocabSize);
        BINDING.memoryClear(memory, true);
        decode(context, PROMPT, 0, 0);
        assertThat(floats(BINDING.logits(context, -1), vocabSize)).isEqualTo(first);
    }

    @Test
    void logitsOfNoOutputAreNull() {
        decode(context, PROMPT, 0, 0);
        assertThat(BINDING.logits(context, PROMPT.length)).isZero();
        assertThat(BINDING.embeddings(context, 0)).isZero();
    }

    @Test
    void embeddingsOfTokensAndOfTheBatch() {
        long embedding = newContext(model, 0, true);
        try {
            assertThat(decode(embedding, PROMPT, 0, 0)).isZero();
            int width = BINDING.modelEmbeddingOutput(model);
            assertThat(floats(BINDING.embeddings(embedding, 0), width)).doesNotContain(Float.NaN);
            assertThat(BINDING.embeddingsOfSequence(embedding, 0)).isZero();
            BINDING.contextSetEmbeddings(embedding, false);
        } finally {
            BINDING.contextFree(embedding);
        }
    }

    @Test
    void abortFlagStopsTheComputation() {
        BINDING.view(abortFlag, 2).put(0, (byte) 1);
        assertThat(decode(context, PROMPT, 0, 0)).isEqualTo(2);
        BINDING.view(abortFlag, 2).put(0, (byte) 0);
        BINDING.memoryClear(memory, true);
        assertThat(decode(context, PROMPT, 0, 0)).isZero();
    }

    @Test
    void invalidBatchIsRefused() {
        assertThat(decode(context, new int[] {vocabSize}, 0, 0)).isEqualTo(-1);
    }

    @Test
    void memoryOfSequences() {
        assertThat(BINDING.memoryMaxPosition(memory, 0)).isEqualTo(-1);
        decode(context, PROMPT, 0, 0);
        int last = PROMPT.length - 1;
        assertThat(BINDING.memoryMinPosition(memory, 0)).isZero();
        assertThat(BINDING.memoryMaxPosition(memory, 0)).isEqualTo(last);

        BINDING.memoryCopy(memory, 0, 1, -1, -1);
        assertThat(BINDING.memoryMaxPosition(memory, 1)).isEqualTo(last);
        assertThat(BINDING.memoryRemove(memory, 1, 8, -1)).isTrue();
        assertThat(BINDING.memoryMaxPosition(memory, 1)).isEqualTo(7);

        BINDING.memoryKeep(memory, 1);
        assertThat(BINDING.memoryMaxPosition(memory, 0)).isEqualTo(-1);

        assertThat(BINDING.memoryCanShift(memory)).isTrue();
        BINDING.memoryAdd(memory, 1, 4, -1, 6);
        assertThat(BINDING.memoryMaxPosition(memory, 1)).isEqualTo(13);
        BINDING.memoryDivide(memory, 1, 0, -1, 2);
        assertThat(BINDING.memoryMaxPosition(memory, 1)).isEqualTo(6);

        BINDING.memoryClear(memory, false);
        assertThat(BINDING.memoryMaxPosition(memory, 1)).isEqualTo(-1);
    }

    @Test
    void stateRoundTrip() {
        decode(context, PROMPT, 0, 0);
        decode(context, new int[] {ANSWER[0]}, PROMPT.length, 0);
        float[] expected = floats(BINDING.logits(context, -1), vocabSize);
        BINDING.memoryRemove(memory, 0, PROMPT.length, -1);

        long size = BINDING.stateSize(context);
        long state = BINDING.allocate(size);
        assertThat(BINDING.stateGet(context, state, size)).isPositive();
        BINDING.memoryClear(memory, true);
        assertThat(BINDING.stateSet(context, state, size)).isPositive();
        BINDING.free(state);
        assertThat(BINDING.memoryMaxPosition(memory, 0)).isEqualTo(PROMPT.length - 1);
        decode(context, new int[] {ANSWER[0]}, PROMPT.length, 0);
        assertThat(floats(BINDING.logits(context, -1), vocabSize)).isEqualTo(expected);
    }

    @Test
    void stateOfOneSequenceMovesToAnother() {
        decode(context, PROMPT, 0, 0);
        long size = BINDING.stateSequenceSize(context, 0, 0);
        long state = BINDING.allocate(size);
        assertThat(BINDING.stateSequenceGet(context, state, size, 0, 0)).isEqualTo(size);
        assertThat(BINDING.stateSequenceSet(context, state, size, 2, 0)).isEqualTo(size);
        BINDING.free(state);
        assertThat(BINDING.memoryMaxPosition(memory, 2)).isEqualTo(PROMPT.length - 1);
    }

    @Test
    void counters() {
        decode(context, PROMPT, 0, 0);
        BINDING.contextSynchronize(context);
        PerfData perf = BINDING.perf(context);
        assertThat(perf.promptTokens()).isEqualTo(PROMPT.length);
        assertThat(perf.promptMs()).isPositive();
        BINDING.perfReset(context);
        assertThat(BINDING.perf(context).promptMs()).isZero();
    }

    @Test
    void adaptersCanBeCleared() {
        assertThat(BINDING.contextSetLora(context, new long[0], new float[0])).isZero();
        int embedding = BINDING.modelEmbedding(model);
        int layers = BINDING.modelLayers(model);
        float[] vector = new float[embedding * (layers - 1)];
        Arrays.fill(vector, 0.5f);
        decode(context, PROMPT, 0, 0);
        float[] plain = floats(BINDING.logits(context, -1), vocabSize);
        assertThat(BINDING.contextSetControlVector(context, vector, embedding, 1, layers - 1))
                .isZero();
        BINDING.memoryClear(memory, true);
        decode(context, PROMPT, 0, 0);
        assertThat(floats(BINDING.logits(context, -1), vocabSize)).isNotEqualTo(plain);
        assertThat(BINDING.contextSetControlVector(context, new float[0], embedding, 1, layers - 1))
                .isZero();
    }

    /** After some warming up, a step of decoding and sampling leaves nothing for the collector. */
    @Test
    void stepsDoNotAllocate() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long batch = BINDING.batchNew(1, 0, 1);
        BindingUnderTest.fill(BINDING.batchArrays(batch), new int[] {1}, 0, 0);
        long chain = BINDING.chainNew(true);
        BINDING.chainAdd(chain, BINDING.samplerTopK(40));
        BINDING.chainAdd(chain, BINDING.samplerGreedy());
        long candidates = BINDING.candidatesNew(50);
        int steps = 500;
        // Less than one object a step; it covers what the JVM does on the side.
        long tolerance = 4L * steps;
        long allocated = Long.MAX_VALUE;
        for (int round = 0; round < 40 && allocated > tolerance; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < steps; i++) {
                step(batch, chain, candidates);
            }
            allocated = threads.getCurrentThreadAllocatedBytes() - before;
        }
        BINDING.candidatesFree(candidates);
        BINDING.samplerFree(chain);
        BINDING.batchFree(batch);
        assertThat(allocated).isLessThanOrEqualTo(tolerance);
    }

    private void step(long batch, long chain, long candidates) {
        BINDING.memoryRemove(memory, 0, 0, -1);
        BINDING.decode(context, batch, 1);
        BINDING.logits(context, -1);
        BINDING.samplerSample(chain, context, -1);
        BINDING.candidatesReset(candidates, 50);
        BINDING.samplerApply(chain, candidates);
        BINDING.candidatesSelected(candidates);
        BINDING.samplerAccept(chain, 1);
        BINDING.memoryMaxPosition(memory, 0);
    }

    private static int argmax(float[] logits) {
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }
}
