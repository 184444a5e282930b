package org.panallama.tools.imatrix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.LlamaException;
import org.panallama.gguf.GgufFile;

class ImatrixTest {

    private static final String EXPERTS = "blk.0.ffn_up_exps.weight";
    private static final String QUERY = "blk.0.attn_q.weight";

    private static final Imatrix MATRIX = new Imatrix(
            Map.of(
                    EXPERTS, new TensorActivations(new float[] {2, 4, 0, 0, 9, 3}, new long[] {2, 0, 3}),
                    QUERY, new TensorActivations(new float[] {5, 10}, new long[] {5})),
            List.of("文.txt", "b"),
            7,
            512,
            new TextPosition("abc", 4));

    @TempDir
    private Path folder;

    @Test
    void comesBackFromItsFile() {
        Path file = folder.resolve("i.gguf");
        MATRIX.write(file);
        Imatrix read = Imatrix.read(file);
        assertThat(read.datasets()).containsExactly("文.txt", "b");
        assertThat(read.chunkCount()).isEqualTo(7);
        assertThat(read.chunkSize()).isEqualTo(512);
        assertThat(read.position()).isEqualTo(new TextPosition("abc", 4));
        assertThat(read.tensors().keySet()).containsExactly(QUERY, EXPERTS);
        assertThat(read.tensors().get(EXPERTS).squares()).containsExactly(2, 4, 0, 0, 9, 3);
        assertThat(read.tensors().get(EXPERTS).counts()).containsExactly(2, 0, 3);
        assertThat(read.tensors().get(EXPERTS).unseenExperts()).containsExactly(1);
        assertThat(read.expertCounts()).containsOnlyKeys(0);
    }

    /** What llama.cpp's reader looks for. */
    @Test
    void theFileHasLlamasTensorsAndKeys() throws IOException {
        Path path = folder.resolve("i.gguf");
        MATRIX.write(path);
        GgufFile file = GgufFile.open(path);
        assertThat(file.string("general.type")).contains("imatrix");
        assertThat(file.metadata().get("imatrix.datasets").strings()).containsExactly("文.txt", "b");
        assertThat(file.integer("imatrix.chunk_count")).hasValue(7);
        assertThat(file.integer("imatrix.chunk_size")).hasValue(512);
        assertThat(file.tensor(EXPERTS + ".in_sum2").orElseThrow().shape()).containsExactly(2L, 3L);
        assertThat(file.tensor(EXPERTS + ".counts").orElseThrow().shape()).containsExactly(1L, 3L);
    }

    @Test
    void unseenExpertsWeighWhatWasAsked() {
        assertThat(MATRIX.importance(UnseenExperts.FLAT).get(EXPERTS)).containsExactly(1, 2, 1, 1, 3, 1);
        assertThat(MATRIX.importance(UnseenExperts.MEAN).get(EXPERTS)).containsExactly(1, 2, 11 / 5f, 7 / 5f, 3, 1);
        assertThat(MATRIX.importance(UnseenExperts.FLAT).get(QUERY)).containsExactly(1, 2);
        assertThatThrownBy(() -> MATRIX.importance(UnseenExperts.REFUSE))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("never reached the experts [1] of " + EXPERTS);
    }

    @Test
    void matricesOfOtherModelsDoNotAddUp() {
        Imatrix other =
                new Imatrix(Map.of(QUERY, new TensorActivations(new float[3], new long[1])), List.of(), 1, 512, null);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Imatrix.combined(List.of(MATRIX, other)))
                .withMessageContaining("of different models");
        assertThatIllegalArgumentException().isThrownBy(() -> Imatrix.combined(List.of()));
    }

    @Test
    void filesOfTheOlderFormatAreRead() throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
        byte[] name = QUERY.getBytes(StandardCharsets.UTF_8);
        bytes.putInt(1)
                .putInt(name.length)
                .put(name)
                .putInt(4)
                .putInt(2)
                .putFloat(8)
                .putFloat(2);
        bytes.putInt(9).putInt(2).put(new byte[] {'w', 'k'});
        Path file = folder.resolve("i.dat");
        Files.write(file, Arrays.copyOf(bytes.array(), bytes.position()));
        Imatrix read = Imatrix.read(file);
        assertThat(read.importance(UnseenExperts.FLAT).get(QUERY)).containsExactly(2, 0.5f);
        assertThat(read.datasets()).containsExactly("wk");
        assertThat(read.chunkCount()).isEqualTo(9);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Imatrix.combined(List.of(MATRIX, read)))
                .withMessageContaining("old format");
    }

    @Test
    void damagedFilesAreRefused() {
        assertThatThrownBy(() -> Imatrix.read(folder.resolve("none")))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("no such file");
        assertRefused(new float[] {Float.NaN}, 1, "in_sum2 has the value NaN, must be finite, from 0 to 1.0E30");
        assertRefused(new float[] {1e31f}, 1, "in_sum2 has the value 1.0E31, must be finite, from 0 to 1.0E30");
        assertRefused(
                new float[] {1}, Long.MAX_VALUE, "counts has the value 9.223372E18, must be finite, from 0 to 1.12589");
    }

    private void assertRefused(float[] squares, long count, String message) {
        Path file = folder.resolve("damaged.gguf");
        matrix(squares, count, 1).write(file);
        assertThatThrownBy(() -> Imatrix.read(file))
                .isInstanceOf(LlamaException.class)
                .hasMessageContainingAll("damaged.gguf", message);
    }

    private static Imatrix matrix(float[] squares, long count, int chunks) {
        return new Imatrix(
                Map.of(QUERY, new TensorActivations(squares, new long[] {count})), List.of(), chunks, 1, null);
    }

    @Test
    void sumsOfLargeNumbersCanBeWritten() {
        Imatrix most = matrix(new float[] {1e30f}, 1L << 50, Integer.MAX_VALUE);
        Path file = folder.resolve("sum.gguf");

        Imatrix sum = Imatrix.combined(List.of(most, most));
        sum.write(file);

        assertThat(sum.chunkCount()).isEqualTo(Integer.MAX_VALUE);
        assertThat(file).isNotEmptyFile();
    }

    @Test
    void aNameThatIsTooLongIsRefusedInBytes() {
        Imatrix matrix = new Imatrix(
                Map.of("你".repeat(20), new TensorActivations(new float[1], new long[1])), List.of(), 1, 1, null);
        assertThatThrownBy(() -> matrix.write(folder.resolve("long.gguf")))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("too long for an importance matrix, which has room for 63 bytes");
    }
}
