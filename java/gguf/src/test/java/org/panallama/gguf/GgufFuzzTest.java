package org.panallama.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.tiny.TinyModel;

/**
 * Damages a header at random; the data behind it is sparse. {@code -Dpanallama.fuzz.cases=1000000} does it more often.
 */
class GgufFuzzTest {

    private static final int ROUNDS = Integer.getInteger("panallama.fuzz.cases", 4000);
    private static final long[] EXTREMES = {
        0, 1, -1, 1L << 31, 1L << 32, (1L << 32) - 1, 1L << 60, Long.MAX_VALUE, Long.MIN_VALUE, 13, 9, 255
    };

    @TempDir
    private Path folder;

    @Test
    void damageGivesAGgufExceptionAtMost() throws IOException {
        GgufFile model = GgufFile.open(TinyModel.path());
        byte[] sound = smallHeader(model);
        Path path = folder.resolve("model.gguf");
        Random random = new Random(42);
        int refused = 0;
        try (FileChannel channel = FileChannel.open(
                path, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW, StandardOpenOption.SPARSE)) {
            long size = sound.length + 64 + model.size() - model.dataOffset();
            channel.write(ByteBuffer.allocate(1), size);
            for (int round = 0; round < ROUNDS; round++) {
                byte[] damaged = sound.clone();
                damage(damaged, random);
                channel.write(ByteBuffer.wrap(damaged), 0);
                if (round % 10 == 0) {
                    channel.truncate(random.nextInt(damaged.length));
                }
                refused += outcome(path, round) ? 1 : 0;
                if (round % 10 == 0) {
                    channel.write(ByteBuffer.allocate(1), size);
                }
            }
        }
        assertThat(refused).isGreaterThan(ROUNDS / 2);
    }

    /** The vocabulary would take nearly all the hits. */
    private byte[] smallHeader(GgufFile model) throws IOException {
        Path path = folder.resolve("small.gguf");
        GgufEditor editor = GgufEditor.of(model);
        model.metadata().forEach((key, value) -> {
            if (value.isArray()) {
                editor.remove(key);
            }
        });
        editor.set("strings", GgufValue.strings(List.of("a", "bc", "")))
                .set("numbers", GgufValue.int32s(1, 2, 3))
                .writeTo(path);
        byte[] header = GgufFile.open(path).header();
        Files.delete(path);
        return header;
    }

    private static void damage(byte[] header, Random random) {
        for (int i = random.nextInt(3); i >= 0; i--) {
            int at = random.nextInt(header.length - Long.BYTES);
            switch (random.nextInt(4)) {
                case 0 -> header[at] ^= (byte) (1 << random.nextInt(Byte.SIZE));
                case 1 -> header[at] = (byte) random.nextInt();
                case 2 ->
                    ByteBuffer.wrap(header)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putLong(at, EXTREMES[random.nextInt(EXTREMES.length)]);
                default -> {
                    int from = random.nextInt(header.length);
                    System.arraycopy(header, from, header, at, Math.min(header.length - from, header.length - at) / 8);
                }
            }
        }
    }

    /** Returns whether the file was refused. */
    private static boolean outcome(Path path, int round) throws IOException {
        boolean refused = false;
        try {
            GgufFile file = GgufFile.open(path);
            file.tensors().forEach(file::offset);
            file.metadata().values().forEach(GgufValue::toString);
        } catch (GgufException e) {
            refused = true;
            assertThat(e.offset()).isBetween(0L, Files.size(path));
        } catch (RuntimeException | Error e) {
            fail("round " + round, e);
        }
        try {
            boolean damaged = GgufValidator.check(path).stream()
                    .anyMatch(finding -> finding.severity() == GgufFinding.Severity.DAMAGE);
            assertThat(damaged).as("round %d", round).isEqualTo(refused);
        } catch (RuntimeException e) {
            fail("round " + round, e);
        }
        return refused;
    }
}
