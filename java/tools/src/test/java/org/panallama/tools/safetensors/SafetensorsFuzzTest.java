package org.panallama.tools.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.fuzz.Damage;
import org.panallama.fuzz.FuzzLoop;

/** Reads damaged checkpoints: either every tensor to its end, or nothing. See {@link FuzzLoop} for more of them. */
class SafetensorsFuzzTest {

    private static final int CASES = 4000;

    // The JSON reader and the mapping have buffers of their own.
    private static final int BASE_BYTES = 1 << 18;
    private static final int BYTES_PER_BYTE = 64;

    @TempDir
    private Path folder;

    @Test
    void aDamagedFileIsReadOrRefused() throws Exception {
        List<byte[]> sound = List.of(
                tensors(folder.resolve("one.safetensors"), SafetensorsType.F32, "alpha", "beta", "你好"),
                tensors(folder.resolve("all.safetensors"), SafetensorsType.values()));
        Path file = folder.resolve("damaged.safetensors");
        FuzzLoop.Outcome outcome = FuzzLoop.run(
                CASES, random -> SafetensorsDamage.of(sound, random), BASE_BYTES, BYTES_PER_BYTE, bytes -> {
                    FuzzLoop.put(file, bytes);
                    return reads(file);
                });
        assertThat(outcome.refused()).isPositive();
        assertThat(outcome.read()).isPositive();
    }

    @Test
    void aDamagedIndexIsReadOrRefused() throws Exception {
        Map<String, String> shards = new LinkedHashMap<>();
        for (int i = 1; i <= 2; i++) {
            String shard = String.format(Locale.ROOT, "model-%05d-of-00002.safetensors", i);
            tensors(folder.resolve(shard), SafetensorsType.BF16, "alpha." + i, "beta." + i);
            shards.put("alpha." + i, shard);
            shards.put("beta." + i, shard);
        }
        Path index = folder.resolve(SafetensorsIndex.FILE_NAME);
        new SafetensorsIndex(shards, 24).write(index);
        List<byte[]> sound = List.of(Files.readAllBytes(index));
        FuzzLoop.Outcome outcome =
                FuzzLoop.run(CASES / 4, random -> Damage.text(sound, random), BASE_BYTES, BYTES_PER_BYTE, bytes -> {
                    FuzzLoop.put(index, bytes);
                    return reads(folder);
                });
        assertThat(outcome.refused()).isPositive();
        assertThat(outcome.read()).isPositive();
    }

    private static boolean reads(Path checkpoint) {
        Safetensors opened;
        try {
            opened = Safetensors.open(checkpoint);
        } catch (SafetensorsException e) {
            assertThat(e).hasMessageContaining(checkpoint.toString());
            return false;
        }
        long bytes = 0;
        for (SafetensorsTensor tensor : opened.tensors().values()) {
            assertThat(tensor.slice(0, (int) tensor.bytes()).remaining()).isEqualTo((int) tensor.bytes());
            if (tensor.type().readable()) {
                assertThat(tensor.floats().length).isEqualTo((int) tensor.elements());
            }
            bytes += tensor.bytes();
        }
        assertThat(opened.bytes()).isEqualTo(bytes);
        return true;
    }

    private static byte[] tensors(Path file, SafetensorsType type, String... names) throws IOException {
        return write(
                file,
                Arrays.stream(names)
                        .map(name -> new SafetensorsEntry(name, type, List.of(3L, 1L)))
                        .toList());
    }

    private static byte[] tensors(Path file, SafetensorsType... types) throws IOException {
        List<SafetensorsEntry> entries = new ArrayList<>();
        for (SafetensorsType type : types) {
            entries.add(new SafetensorsEntry("tensor." + type, type, List.of(2L, 4L)));
            entries.add(new SafetensorsEntry("empty." + type, type, List.of(0L)));
        }
        return write(file, entries);
    }

    private static byte[] write(Path file, List<SafetensorsEntry> entries) throws IOException {
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of("format", "pt"), entries)) {
            for (SafetensorsEntry entry : entries) {
                if (entry.bytes() > 0) {
                    writer.write(ByteBuffer.allocate((int) entry.bytes()));
                }
            }
            writer.finish();
        }
        return Files.readAllBytes(file);
    }
}
