package org.panallama.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.fuzz.Damage;
import org.panallama.fuzz.FuzzLoop;
import org.panallama.gguf.GgufHash.Algorithm;

/** Reads damaged manifests. See {@link FuzzLoop} for more of them. */
class GgufManifestFuzzTest {

    private static final int CASES = 2000;
    private static final int BASE_BYTES = 1 << 20;
    private static final int BYTES_PER_BYTE = 100;

    private static final String SOUND = """
            sha256    0a5b0a5b0a5b0a5b  model.gguf:token_embd.weight
            sha1      0a5b0a5b0a5b      model.gguf:token_embd.weight
            xxh64     0a5b0a5b          other/model.gguf
            uuid      12345678-1234-5678-1234-567812345678  model.gguf
            """;

    private static final Path MODEL = Path.of("model.gguf");

    @TempDir
    private Path folder;

    @Test
    void aDamagedManifestIsReadOrRefused() throws Exception {
        Path file = folder.resolve("manifest");
        List<byte[]> sound = List.of(SOUND.getBytes(StandardCharsets.UTF_8));
        FuzzLoop.Outcome outcome =
                FuzzLoop.run(CASES, random -> Damage.text(sound, random), BASE_BYTES, BYTES_PER_BYTE, bytes -> {
                    FuzzLoop.put(file, bytes);
                    return reads(file);
                });
        assertThat(outcome.refused()).isPositive();
        assertThat(outcome.read()).isPositive();
    }

    private static boolean reads(Path file) {
        try {
            GgufManifest manifest = GgufManifest.read(file, MODEL);
            assertThat(manifest.algorithms()).isNotEmpty();
            for (Algorithm algorithm : Algorithm.values()) {
                assertThat(manifest.check(algorithm, "0a5b")).isNotNull();
                assertThat(manifest.check(algorithm, "token_embd.weight", "0a5b"))
                        .isNotNull();
            }
            return true;
        } catch (IOException e) {
            assertThat(e).hasMessageContaining(file.toString());
            return false;
        }
    }

    /** With a pattern that tries every place for the end of the name, this would take days. */
    @Test
    void blanksInALineTakeNoTime() throws Exception {
        Path file = Files.writeString(
                folder.resolve("manifest"),
                "sha1  00  model.gguf:a" + " ".repeat(1 << 20) + "b" + " ".repeat(9) + "\n");

        assertThat(GgufManifest.read(file, MODEL).check(Algorithm.SHA1, "a" + " ".repeat(1 << 20) + "b", "00"))
                .isEqualTo(GgufManifest.Result.OK);
    }

    @Test
    void aModelInTheManifestsPlaceIsNotRead() throws Exception {
        Path file = folder.resolve("model.gguf");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(3L << 30);
        }

        assertThatThrownBy(() -> GgufManifest.read(file, file))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(file.toString(), "it has 3221225472 bytes");
    }
}
