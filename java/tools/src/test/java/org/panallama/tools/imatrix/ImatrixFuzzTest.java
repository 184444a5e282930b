package org.panallama.tools.imatrix;

import static org.assertj.core.api.Assertions.assertThat;

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
import org.panallama.fuzz.Damage;
import org.panallama.fuzz.FuzzLoop;

/**
 * Reads damaged importance matrices, and does with them what quantizers, sums of several, and the resumed collection do. See
 * {@link FuzzLoop} for more of them.
 */
class ImatrixFuzzTest {

    private static final int CASES = 2000;

    // Reading and writing each have a buffer of 64 KiB or two.
    private static final int BASE_BYTES = 1 << 20;
    private static final int BYTES_PER_BYTE = 64;

    @TempDir
    private Path folder;

    @Test
    void aDamagedFileIsReadOrRefused() throws Exception {
        List<byte[]> sound = List.of(matrix(), older());
        Path file = folder.resolve("damaged.imatrix");
        Path copy = folder.resolve("copy.imatrix");
        FuzzLoop.Outcome outcome =
                FuzzLoop.run(CASES, random -> Damage.bytes(sound, random), BASE_BYTES, BYTES_PER_BYTE, bytes -> {
                    FuzzLoop.put(file, bytes);
                    return reads(file, copy);
                });
        assertThat(outcome.refused()).isPositive();
        assertThat(outcome.read()).isPositive();
    }

    private static boolean reads(Path file, Path copy) throws IOException {
        Imatrix read;
        try {
            read = Imatrix.read(file);
        } catch (LlamaException e) {
            assertThat(e).hasMessageContaining(file.toString());
            return false;
        }
        for (UnseenExperts unseen : List.of(UnseenExperts.FLAT, UnseenExperts.MEAN)) {
            read.importance(unseen).values().forEach(ImatrixFuzzTest::checkWeights);
        }
        read.expertCounts();
        ActivationSums sums = new ActivationSums(false);
        sums.start(read.tensors());
        try {
            Imatrix resumed =
                    new Imatrix(sums.snapshot(), read.datasets(), read.chunkCount(), read.chunkSize(), read.position());
            resumed.write(copy);
            assertThat(Imatrix.read(copy).tensors().keySet())
                    .isEqualTo(read.tensors().keySet());
            Files.delete(copy);
            if (read.chunkSize() > 0) {
                Imatrix.combined(List.of(read, read, read)).write(copy);
                Files.delete(copy);
            }
        } catch (LlamaException e) {
            assertThat(e).hasMessageContaining("is too long for an importance matrix");
        }
        return true;
    }

    private static void checkWeights(float[] weights) {
        for (float weight : weights) {
            assertThat(weight >= 0 && weight <= Float.MAX_VALUE).isTrue();
        }
    }

    private byte[] matrix() throws IOException {
        Path file = folder.resolve("sound.gguf");
        new Imatrix(
                        Map.of(
                                "blk.0.attn_q.weight",
                                new TensorActivations(new float[] {1, 2, 3, 4}, new long[] {5}),
                                "blk.0.ffn_gate_exps.weight",
                                new TensorActivations(new float[] {1, 2, 0, 0, 5, 6}, new long[] {3, 0, 2})),
                        List.of("wiki", "你好"),
                        7,
                        512,
                        new TextPosition("00ff", 7))
                .write(file);
        return Files.readAllBytes(file);
    }

    private static byte[] older() {
        byte[] name = "blk.0.attn_q.weight".getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(200).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(2);
        for (int i = 0; i < 2; i++) {
            name[4] = (byte) ('0' + i);
            bytes.putInt(name.length).put(name).putInt(4).putInt(2).putFloat(8).putFloat(2);
        }
        bytes.putInt(9).putInt(2).put(new byte[] {'w', 'k'});
        return Arrays.copyOf(bytes.array(), bytes.position());
    }
}
