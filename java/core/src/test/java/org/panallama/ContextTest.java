package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("native")
class ContextTest {

    private static final int[] PROMPT = {1, 261, 262, 2425, 580, 2537, 481, 2440, 263, 262, 2425};

    private static Model model;
    private Context context;
    private Batch batch;

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
        context = model.newContext(Tiny.context().sequences(4).build());
        batch = Batch.tokens(64, 4);
    }

    @AfterEach
    void close() {
        context.close();
        batch.close();
    }

    @Test
    void knowsItself() {
        assertThat(context.length()).isEqualTo(512);
        assertThat(context.sequenceLength()).isEqualTo(512);
        assertThat(context.batchSize()).isEqualTo(512);
        assertThat(context.microBatchSize()).isEqualTo(512);
        assertThat(context.sequences()).isEqualTo(4);
        assertThat(context.pooling()).isEqualTo(Pooling.NONE);
        assertThat(context.threads()).isEqualTo(1);
        context.setThreads(2, 3);
        assertThat(context.threads()).isEqualTo(2);
        assertThat(context.batchThreads()).isEqualTo(3);
    }

    @Test
    void theDefaultLengthIsNotBeyondTheTrainedOne() {
        try (Context standard = model.newContext()) {
            assertThat(standard.length()).isEqualTo(2048);
        }
    }

    @Test
    void sequencesAreIndependent() {
        context.decode(PROMPT);
        float[] alone = context.logits(-1).toArray();
        context.memory().clear();
        int[] last = new int[3];
        for (int sequence = 0; sequence < 3; sequence++) {
            for (int i = 0; i < PROMPT.length; i++) {
                last[sequence] = batch.add(PROMPT[i], i, sequence, i == PROMPT.length - 1);
            }
        }
        context.decode(batch);
        for (int sequence = 0; sequence < 3; sequence++) {
            FloatView logits = context.logits(last[sequence]);
            assertThat(logits.argMax()).isEqualTo(870);
            for (int token = 0; token < alone.length; token += 97) {
                assertThat(logits.get(token)).isCloseTo(alone[token], within(0.05f));
            }
        }
    }

    @Test
    void aSharedBeginningIsComputedOnce() {
        for (int i = 0; i < PROMPT.length; i++) {
            batch.add(PROMPT[i], i, new int[] {0, 1, 2}, i == PROMPT.length - 1);
        }
        context.decode(batch);
        assertThat(context.memory().maxPosition(2)).isEqualTo(PROMPT.length - 1);
        assertThat(context.logits(-1).argMax()).isEqualTo(870);
    }

    @Test
    void memoryIsCutCopiedShiftedAndKept() {
        ContextMemory memory = context.memory();
        context.decode(PROMPT);
        assertThat(memory.minPosition(0)).isZero();
        assertThat(memory.maxPosition(0)).isEqualTo(10);
        assertThat(memory.maxPosition(1)).isEqualTo(-1);
        memory.copy(0, 1);
        memory.copy(0, 2, 0, 5);
        assertThat(memory.maxPosition(1)).isEqualTo(10);
        assertThat(memory.maxPosition(2)).isEqualTo(4);
        assertThat(memory.remove(0, 8, ContextMemory.END)).isTrue();
        assertThat(memory.maxPosition(0)).isEqualTo(7);
        assertThat(memory.canShift()).isTrue();
        memory.remove(0, 0, 2);
        memory.shift(0, 2, ContextMemory.END, -2);
        assertThat(memory.minPosition(0)).isZero();
        assertThat(memory.maxPosition(0)).isEqualTo(5);
        memory.divide(0, 0, ContextMemory.END, 2);
        assertThat(memory.maxPosition(0)).isEqualTo(2);
        memory.keepOnly(1);
        assertThat(memory.maxPosition(0)).isEqualTo(-1);
        assertThat(memory.maxPosition(1)).isEqualTo(10);
        memory.clear();
        assertThat(memory.maxPosition(1)).isEqualTo(-1);
    }

    @Test
    void badMemoryOperationsAreRefused() {
        ContextMemory memory = context.memory();
        context.decode(PROMPT);
        assertThatThrownBy(() -> memory.remove(4)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> memory.remove(-1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> memory.remove(0, -1, 3)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> memory.remove(0, 5, 3)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> memory.shift(0, 0, ContextMemory.END, -1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> memory.divide(0, 0, 3, 0)).isInstanceOf(IllegalArgumentException.class);
        try (Context separate =
                model.newContext(Tiny.context().sequences(2).sharedCache(false).build())) {
            separate.decode(PROMPT);
            separate.memory().copy(0, 1);
            assertThat(separate.memory().maxPosition(1)).isEqualTo(10);
            assertThatThrownBy(() -> separate.memory().copy(0, 1, 0, 3))
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("sharedCache");
        }
    }

    @Test
    void badBatchesAreRefused() {
        assertThatThrownBy(() -> context.decode(batch))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("empty");
        assertThatThrownBy(() -> context.decode(new int[0])).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> batch.add(-1, 0, 0, true)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> batch.add(1, -1, 0, true)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> batch.add(1, 0, -1, true)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> batch.add(1, 0, new int[5], true)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Batch.tokens(0)).isInstanceOf(IllegalArgumentException.class);
        batch.add(5120, 0, 0, true);
        assertThatThrownBy(() -> context.decode(batch))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessageContaining("5120");
        batch.clear();
        batch.add(1, 0, 4, true);
        assertThatThrownBy(() -> context.decode(batch))
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessageContaining("sequence 4");
        batch.clear();
        batch.add(1, 7, 0, true);
        batch.add(1, 9, 0, true);
        assertThatThrownBy(() -> context.decode(batch))
                .isInstanceOf(DecodeException.class)
                .hasMessageContaining("llama.cpp says");
        try (Batch full = Batch.tokens(1)) {
            full.add(1, 0, 0, true);
            assertThatThrownBy(() -> full.add(1, 1, 0, true))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("full");
        }
        try (Context narrow = model.newContext(Tiny.context().batch(4).build());
                Batch wide = Batch.tokens(8)) {
            for (int i = 0; i < 8; i++) {
                wide.add(1, i, 0, false);
            }
            assertThatThrownBy(() -> narrow.decode(wide))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("at most 4");
        }
        context.decode(PROMPT);
        assertThat(context.logits(-1).argMax()).as("works on").isEqualTo(870);
    }

    @Test
    void aFullMemoryIsAnError() {
        int[] long600 = new int[600];
        Arrays.fill(long600, 300);
        assertThatThrownBy(() -> context.decode(long600))
                .isInstanceOf(ContextFullException.class)
                .hasMessageContaining("512");
        int[] half = Arrays.copyOf(long600, 300);
        context.decode(half);
        try (Batch other = Batch.tokens(300)) {
            for (int i = 0; i < 300; i++) {
                other.add(300, i, 1, i == 299);
            }
            assertThatThrownBy(() -> context.decode(other))
                    .isInstanceOfSatisfying(
                            DecodeException.class, e -> assertThat(e.status()).isOne())
                    .hasMessageContaining("No room");
        }
    }

    @Test
    void logitsThatWereNotAskedForAreRefused() {
        assertThatThrownBy(() -> context.logits(-1)).isInstanceOf(IllegalArgumentException.class);
        context.decode(PROMPT);
        for (int index : new int[] {0, 11, 1 << 30, -2, Integer.MIN_VALUE}) {
            assertThatThrownBy(() -> context.logits(index)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> context.embedding(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> context.sequenceEmbedding(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> context.sequenceEmbedding(9)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void aViewIsOfOneComputation() {
        context.decode(PROMPT);
        FloatView logits = context.logits(-1);
        assertThat(logits.size()).isEqualTo(5120);
        assertThat(logits.toArray()[870]).isEqualTo(logits.get(870));
        assertThat(logits.logSumExp())
                .isCloseTo(
                        Math.log(IntStream.range(0, 5120)
                                .mapToDouble(i -> Math.exp(logits.get(i)))
                                .sum()),
                        within(1e-6));
        assertThatThrownBy(() -> logits.get(5120)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> logits.copyTo(new float[10], 0)).isInstanceOf(IndexOutOfBoundsException.class);
        context.decode(870);
        assertThatThrownBy(() -> logits.get(0))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("earlier computation");
    }

    @Test
    void everySettingComputes() {
        ContextOptions[] settings = {
            Tiny.context().flashAttention(FlashAttention.OFF).build(),
            Tiny.context().flashAttention(FlashAttention.ON).build(),
            Tiny.context().kvTypes(TensorType.Q8_0, TensorType.Q8_0).build(),
            Tiny.context().kvTypes(TensorType.F32, TensorType.F32).build(),
            Tiny.context().kvTypes(TensorType.BF16, TensorType.BF16).build(),
            Tiny.context().threads(3).batchThreads(2).build(),
            Tiny.context().ropeScaling(RopeScaling.LINEAR).ropeFrequencyScale(1).build(),
            Tiny.context()
                    .ropeScaling(RopeScaling.YARN)
                    .ropeFrequencyScale(0.5f)
                    .yarnOriginalLength(2048)
                    .build(),
            Tiny.context()
                    .offloadKv(false)
                    .offloadOperations(false)
                    .counters(false)
                    .build(),
            Tiny.context().batch(8).microBatch(4).build(),
        };
        for (ContextOptions setting : settings) {
            try (Context one = model.newContext(setting)) {
                one.decode(PROMPT);
                assertThat(one.logits(-1).argMax()).isEqualTo(870);
            }
        }
        assertThat(model.trainContextLength())
                .as("YaRN contexts leave the model alone")
                .isEqualTo(2048);
    }

    @Test
    void badSettingsAreRefused() {
        ContextOptions.Builder options = ContextOptions.builder();
        assertThatThrownBy(() -> options.length(0)).hasMessageContaining("length is 0");
        assertThatThrownBy(() -> options.length(-5)).hasMessageContaining("-5");
        assertThatThrownBy(() -> options.batch(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> options.threads(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> options.threads(513)).hasMessageContaining("1 to 512");
        assertThatThrownBy(() -> options.sequences(257)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> options.kvTypes(TensorType.Q4_K, TensorType.F16))
                .hasMessageContaining("Q4_K");
        assertThatThrownBy(() -> options.ropeFrequencyBase(Float.NaN)).isInstanceOf(IllegalArgumentException.class);
        ContextOptions noFlash = Tiny.context()
                .flashAttention(FlashAttention.OFF)
                .kvTypes(TensorType.F16, TensorType.Q8_0)
                .build();
        assertThatThrownBy(() -> model.newContext(noFlash)).hasMessageContaining("flash attention");
        ContextOptions huge = Tiny.context().length(2_000_000_000).build();
        assertThatThrownBy(() -> model.newContext(huge))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("GB");
    }

    @Test
    void countersCount() {
        context.decode(PROMPT);
        context.logits(-1);
        context.decode(870);
        PerformanceCounters counters = context.counters();
        assertThat(counters.promptTokens()).isEqualTo(11);
        assertThat(counters.decodedTokens()).isOne();
        assertThat(counters.promptTime()).isPositive();
        context.resetCounters();
        assertThat(context.counters().promptTokens()).isZero();
    }

    @Test
    void embeddingsOfAContextMadeForThem() {
        try (Context embedding = model.newContext(
                Tiny.context().embeddings(true).pooling(Pooling.MEAN).build())) {
            embedding.decode(PROMPT);
            FloatView mean = embedding.sequenceEmbedding(0);
            assertThat(mean.size()).isEqualTo(256);
            assertThat(mean.toArray()).isNotEqualTo(new float[256]);
        }
        try (Context tokens = model.newContext(
                Tiny.context().embeddings(true).pooling(Pooling.NONE).build())) {
            tokens.decode(PROMPT);
            assertThat(tokens.embedding(0).size()).isEqualTo(256);
            assertThat(tokens.embedding(10).size()).isEqualTo(256);
            assertThatThrownBy(() -> tokens.sequenceEmbedding(0)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void embeddingsTakeThePlaceOfTokens() {
        try (Batch floats = Batch.embeddings(4, model.inputEmbeddingSize(), 1);
                Batch wrong = Batch.embeddings(4, 8, 1)) {
            floats.add(new float[256], 0, new int[] {0}, true);
            context.decode(floats);
            assertThat(context.logits(-1).size()).isEqualTo(5120);
            assertThatThrownBy(() -> floats.add(1, 0, 0, true)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> floats.add(new float[3], 0, new int[] {0}, true))
                    .isInstanceOf(IllegalArgumentException.class);
            wrong.add(new float[8], 1, new int[] {0}, true);
            assertThatThrownBy(() -> context.decode(wrong)).hasMessageContaining("takes 256");
        }
    }

    @Test
    void controlVectorsAndAdaptersAreChecked() {
        assertThatThrownBy(() -> context.setControlVector(new float[7], 1, 5))
                .isInstanceOf(IllegalArgumentException.class);
        context.decode(PROMPT);
        float before = context.logits(-1).get(870);
        float[] vectors = new float[256 * 5];
        Arrays.fill(vectors, 0.5f);
        context.setControlVector(vectors, 1, 5);
        context.memory().clear();
        context.decode(PROMPT);
        assertThat(context.logits(-1).get(870)).isNotEqualTo(before);
        context.setControlVector(new float[0], 1, 5);
        context.memory().clear();
        context.decode(PROMPT);
        assertThat(context.logits(-1).get(870)).isEqualTo(before);
        context.setLora(Map.of());
        assertThatThrownBy(() -> model.loadLora(Path.of("no-such-adapter.gguf")))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("no-such-adapter.gguf");
    }
}
