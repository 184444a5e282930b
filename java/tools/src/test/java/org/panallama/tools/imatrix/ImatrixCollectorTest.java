package org.panallama.tools.imatrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.Model;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufTensor;
import org.panallama.tiny.TinyModel;
import org.panallama.tools.Progress;

class ImatrixCollectorTest {

    private static final int CHUNK = 64;
    private static final int WIDTH = 256;
    private static final int EXPERTS = 8;
    private static final int EXPERTS_USED = 2;
    private static final String QUERY = "blk.0.attn_q.weight";

    /** About 400 tokens. */
    static final String TEXT =
            ("法国的英文名是什么？ 床前明月光，疑是地上霜。举头望明月，低头思故乡。 " + "The capital of France is Paris. 《静夜思》的作者是李白。 ").repeat(12);

    private static Model model;

    @TempDir
    private Path folder;

    @BeforeAll
    static void load() {
        model = Model.load(TinyModel.path());
    }

    @AfterAll
    static void unload() {
        model.close();
    }

    private static ImatrixCollector.Builder collector() {
        return ImatrixCollector.builder(model).chunkSize(CHUNK).threads(1);
    }

    @Test
    void theFirstLayersInputIsTheNormOfTheEmbeddings() throws Exception {
        Imatrix matrix = collector().maxChunks(2).build().collect(TEXT, Progress.NONE);
        float[] embeddings = tensor("token_embd.weight");
        float[] norm = tensor("blk.0.attn_norm.weight");
        int[] tokens = model.vocab().tokenize(TEXT, true, false);
        double[] expected = new double[WIDTH];
        for (int i = 0; i < 2 * CHUNK; i++) {
            int token = i % CHUNK == 0 ? model.vocab().bos() : tokens[i];
            double squares = 0;
            for (int j = 0; j < WIDTH; j++) {
                squares += Math.pow(embeddings[token * WIDTH + j], 2);
            }
            double scale = 1 / Math.sqrt(squares / WIDTH + 1e-5);
            for (int j = 0; j < WIDTH; j++) {
                expected[j] += Math.pow(embeddings[token * WIDTH + j] * scale * norm[j], 2);
            }
        }
        TensorActivations query = matrix.tensors().get(QUERY);
        assertThat(query.counts()).containsExactly(2 * CHUNK);
        for (int j = 0; j < WIDTH; j++) {
            assertThat((double) query.squares()[j]).isCloseTo(expected[j], within(1e-4 * expected[j] + 1e-6));
        }
        assertThat(matrix.tensors().get("blk.0.attn_k.weight").squares()).isEqualTo(query.squares());
    }

    /** The values of an F16 or F32 tensor of the tiny model. */
    private static float[] tensor(String name) throws Exception {
        GgufFile file = GgufFile.open(TinyModel.path());
        GgufTensor tensor = file.tensor(name).orElseThrow();
        ByteBuffer data = file.map(tensor).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[(int) tensor.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = tensor.type() == 0 ? data.getFloat(4 * i) : half(data.getShort(2 * i));
        }
        return values;
    }

    private static float half(short bits) {
        int exponent = bits >> 10 & 31;
        int fraction = bits & 1023;
        double magnitude = exponent == 0 ? fraction * 0x1p-24 : (1 + fraction / 1024.0) * Math.pow(2, exponent - 15);
        return (float) (bits < 0 ? -magnitude : magnitude);
    }

    @Test
    void expertsAreCountedEachForItself() {
        Imatrix matrix = collector().maxChunks(3).build().collect(TEXT, Progress.NONE);
        assertThat(matrix.tensors().keySet())
                .hasSize(model.layerCount() * 8)
                .contains("blk.0.ffn_gate_inp.weight", "blk.3.ffn_down_exps.weight")
                .doesNotContain("output.weight", "token_embd.weight");
        assertThat(matrix.expertCounts()).hasSize(model.layerCount());
        matrix.expertCounts().values().forEach(counts -> {
            assertThat(counts).hasSize(EXPERTS);
            assertThat(Arrays.stream(counts).sum()).isEqualTo(3L * CHUNK * EXPERTS_USED);
        });
        // Up and gate see what the attention's end and the norm gave: the sum over all experts is that of the router,
        // twice.
        float[] router = matrix.tensors().get("blk.2.ffn_gate_inp.weight").squares();
        float[] gate = matrix.tensors().get("blk.2.ffn_gate_exps.weight").squares();
        for (int j = 0; j < WIDTH; j++) {
            double sum = 0;
            for (int expert = 0; expert < EXPERTS; expert++) {
                sum += gate[expert * WIDTH + j];
            }
            assertThat(sum).isCloseTo(EXPERTS_USED * (double) router[j], within(1e-3 * router[j] + 1e-6));
        }
    }

    @Test
    void theOutputMatrixIsCollectedOnDemand() {
        Imatrix matrix = collector().maxChunks(1).outputTensor(true).build().collect(TEXT, Progress.NONE);
        assertThat(matrix.tensors().get("output.weight").counts()).containsExactly(CHUNK);
    }

    @Test
    void anInterruptedRunGoesOnAndGivesTheSame() throws Exception {
        Path whole = folder.resolve("whole.gguf");
        collector().maxChunks(4).saveTo(whole, 1).build().collect(TEXT, Progress.NONE);
        Path interrupted = folder.resolve("interrupted.gguf");
        assertThatThrownBy(() -> collector()
                        .maxChunks(4)
                        .saveTo(interrupted, 10)
                        .build()
                        .collect(TEXT, fraction -> fraction < 0.5))
                .isInstanceOf(CancellationException.class)
                .hasMessageContaining("chunk 2 of 4");
        Imatrix half = Imatrix.read(interrupted);
        assertThat(half.chunkCount()).isEqualTo(2);
        collector().resume(half).maxChunks(2).saveTo(interrupted, 10).build().collect(TEXT, Progress.NONE);
        assertThat(Files.mismatch(whole, interrupted)).isEqualTo(-1);
        assertThat(Imatrix.read(whole).datasets()).containsExactly("text");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> collector().resume(half).build().collect("另" + TEXT, Progress.NONE))
                .withMessageContaining("another text");
    }

    @Test
    void textsAddUp() {
        Imatrix first = collector().maxChunks(1).dataset("a").build().collect(TEXT, Progress.NONE);
        Imatrix both = collector()
                .startFrom(first)
                .firstChunk(1)
                .maxChunks(2)
                .dataset("b")
                .build()
                .collect(TEXT, Progress.NONE);
        Imatrix second =
                collector().firstChunk(1).maxChunks(2).dataset("b").build().collect(TEXT, Progress.NONE);
        assertThat(both.datasets()).containsExactly("a", "b");
        assertThat(both.chunkCount()).isEqualTo(3);
        Imatrix combined = Imatrix.combined(List.of(first, second));
        assertThat(combined.chunkCount()).isEqualTo(3);
        assertThat(combined.tensors().get(QUERY).counts()).containsExactly(3 * CHUNK);
        assertThat(combined.tensors().get(QUERY).squares()[7])
                .isCloseTo(both.tensors().get(QUERY).squares()[7], within(1e-2f));
    }

    @Test
    void textsThatAreTooShortAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> collector().build().collect("法国", Progress.NONE))
                .withMessageContaining("0 chunks of 64");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> collector().firstChunk(1000).build().collect(TEXT, Progress.NONE))
                .withMessageContaining("chunk 1000 is not among them");
    }
}
