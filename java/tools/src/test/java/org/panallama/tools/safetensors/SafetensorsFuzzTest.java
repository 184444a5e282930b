package org.panallama.tools.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damages a checkpoint at random. {@code -Dpanallama.fuzz.cases=1000000} does it more often. */
class SafetensorsFuzzTest {

    private static final int ROUNDS = Integer.getInteger("panallama.fuzz.cases", 2000);

    /** What a number is replaced by. */
    private static final List<String> EXTREMES = List.of(
            "0", "-1", "9007199254740993", "1152921504606846976", "9223372036854775807", "1e400", "1.5", "[[", "{}");

    @TempDir
    private Path folder;

    private final Random random = new Random(7);

    @Test
    void damagedFilesGiveErrorsOrTensors() throws IOException {
        byte[] sound = tensors(folder.resolve("sound.safetensors"), "alpha", "beta");
        Path file = folder.resolve("damaged.safetensors");
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++) {
            Files.write(file, damaged(sound, Long.BYTES));
            refused += refused(file, round) ? 1 : 0;
        }
        assertThat(refused).isGreaterThan(ROUNDS / 2);
    }

    @Test
    void damagedIndexesGiveErrorsOrTensors() throws IOException {
        tensors(folder.resolve("model-00001-of-00002.safetensors"), "alpha");
        tensors(folder.resolve("model-00002-of-00002.safetensors"), "beta");
        Map<String, String> shards = new LinkedHashMap<>();
        shards.put("alpha", "model-00001-of-00002.safetensors");
        shards.put("beta", "model-00002-of-00002.safetensors");
        Path index = folder.resolve(SafetensorsIndex.FILE_NAME);
        new SafetensorsIndex(shards, 24).write(index);
        byte[] sound = Files.readAllBytes(index);
        int refused = 0;
        for (int round = 0; round < ROUNDS / 4; round++) {
            Files.write(index, damaged(sound, 0));
            refused += refused(folder, round) ? 1 : 0;
        }
        assertThat(refused).isGreaterThan(ROUNDS / 16);
    }

    private byte[] damaged(byte[] sound, int text) {
        byte[] bytes = sound.clone();
        for (int n = random.nextInt(3); n >= 0; n--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(4)) {
                case 0 -> bytes[at] = (byte) random.nextInt();
                case 1 -> bytes[at] = (byte) "{}[]\",:0123456789-e".charAt(random.nextInt(19));
                case 2 -> bytes = withNumber(bytes, text);
                default -> {
                    int from = random.nextInt(bytes.length);
                    int length = Math.min(bytes.length - from, bytes.length - at) / 4;
                    System.arraycopy(bytes.clone(), from, bytes, at, length);
                }
            }
        }
        return random.nextInt(16) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
    }

    /** Replaces a number by an extreme one and, where there is a header's length, corrects that. */
    private byte[] withNumber(byte[] bytes, int text) {
        String all = new String(bytes, StandardCharsets.ISO_8859_1);
        int from = text + random.nextInt(Math.max(1, all.length() - text));
        while (from < all.length() && !Character.isDigit(all.charAt(from))) {
            from++;
        }
        int to = from;
        while (to < all.length() && Character.isDigit(all.charAt(to))) {
            to++;
        }
        String number = EXTREMES.get(random.nextInt(EXTREMES.size()));
        byte[] result = (all.substring(0, from) + number + all.substring(to)).getBytes(StandardCharsets.ISO_8859_1);
        if (text > 0 && result.length >= text) {
            ByteBuffer header = ByteBuffer.wrap(result).order(ByteOrder.LITTLE_ENDIAN);
            header.putLong(0, header.getLong(0) + number.length() - (to - from));
        }
        return result;
    }

    /** Nothing but a refusal of the one kind, or tensors that can be read to their ends. */
    private static boolean refused(Path checkpoint, int round) {
        try {
            Safetensors.open(checkpoint).tensors().values().forEach(tensor -> {
                if (tensor.type().readable()) {
                    tensor.floats();
                }
            });
            return false;
        } catch (SafetensorsException e) {
            return true;
        } catch (RuntimeException | Error e) {
            return fail("round " + round, e);
        }
    }

    private static byte[] tensors(Path file, String... names) throws IOException {
        List<SafetensorsEntry> entries = Arrays.stream(names)
                .map(name -> new SafetensorsEntry(name, SafetensorsType.F32, List.of(3L, 1L)))
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of("format", "pt"), entries)) {
            for (int i = 0; i < names.length; i++) {
                writer.write(ByteBuffer.allocate(12));
            }
            writer.finish();
        }
        return Files.readAllBytes(file);
    }
}
