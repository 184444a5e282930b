package org.panallama.tools.convert;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.fuzz.Damage;
import org.panallama.fuzz.FuzzLoop;
import org.panallama.tools.safetensors.SafetensorsException;

/** Opens checkpoints of which one file, whichever it is, is damaged. See {@link FuzzLoop} for more of them. */
class CheckpointFuzzTest {

    private static final int CASES = 2000;

    // What the sound files of the checkpoint take besides the damaged one.
    private static final int BASE_BYTES = 1 << 20;
    private static final int BYTES_PER_BYTE = 100;

    @TempDir
    private Path folder;

    /** A file that will be damaged, and what it is. */
    private record Part(Path checkpoint, Path file, byte[] sound) {}

    @Test
    void aDamagedCheckpointIsOpenedOrRefused() throws Exception {
        List<Part> parts = new ArrayList<>();
        for (Path checkpoint : SmallCheckpoints.all(folder)) {
            parts.addAll(parts(checkpoint));
        }
        for (Part part : parts) {
            Converter.open(part.checkpoint(), ConversionOptions.defaults());
        }
        FuzzLoop.Outcome outcome =
                FuzzLoop.run(CASES, random -> damaged(parts, random), BASE_BYTES, BYTES_PER_BYTE, bytes -> {
                    Part part = parts.get(bytes[0] & 0xFF);
                    byte[] content = new byte[bytes.length - 1];
                    System.arraycopy(bytes, 1, content, 0, content.length);
                    FuzzLoop.put(part.file(), content);
                    try {
                        return opens(part.checkpoint());
                    } finally {
                        FuzzLoop.put(part.file(), part.sound());
                    }
                });
        assertThat(outcome.refused()).isPositive();
        assertThat(outcome.read()).isPositive();
    }

    /** The number of the part, and its damaged content. */
    private static byte[] damaged(List<Part> parts, Random random) {
        int number = random.nextInt(parts.size());
        Part part = parts.get(number);
        List<byte[]> sound = List.of(part.sound());
        byte[] content =
                part.file().toString().endsWith(".json") ? Damage.text(sound, random) : Damage.bytes(sound, random);
        byte[] all = new byte[1 + content.length];
        all[0] = (byte) number;
        System.arraycopy(content, 0, all, 1, content.length);
        return all;
    }

    private static boolean opens(Path checkpoint) {
        try {
            Converter converter = Converter.open(checkpoint, ConversionOptions.defaults());
            assertThat(converter.metadata()).isNotEmpty();
            return true;
        } catch (ConversionException | SafetensorsException e) {
            assertThat(e.getMessage()).isNotBlank();
            return false;
        }
    }

    private static List<Part> parts(Path checkpoint) throws IOException {
        List<Part> parts = new ArrayList<>();
        try (Stream<Path> files = Files.walk(checkpoint)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                parts.add(new Part(checkpoint, file, Files.readAllBytes(file)));
            }
        }
        return parts;
    }
}
