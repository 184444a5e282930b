package org.panallama.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.fuzz.Damage;
import org.panallama.fuzz.FuzzLoop;

/** Reads, validates and copies damaged files. See {@link FuzzLoop} for more of them. */
class GgufFuzzTest {

    private static final int CASES = 6000;

    // Reading, validating and copying each have a buffer of 64 KiB or two.
    private static final int BASE_BYTES = 1 << 20;
    private static final int BYTES_PER_BYTE = 64;

    @TempDir
    private Path folder;

    @Test
    void aDamagedFileIsReadOrRefused() throws Exception {
        List<byte[]> sound = SmallFiles.all(folder);
        Path path = folder.resolve("model.gguf");
        FuzzLoop.Outcome outcome =
                FuzzLoop.run(CASES, random -> Damage.bytes(sound, random), BASE_BYTES, BYTES_PER_BYTE, bytes -> {
                    FuzzLoop.put(path, bytes);
                    boolean read = reads(path, bytes.length);
                    List<GgufFinding> findings = GgufValidator.checkWithData(path, fraction -> true);
                    assertThat(findings).allMatch(finding -> finding.offset() >= 0 && finding.offset() <= bytes.length);
                    boolean damaged = GgufValidator.check(path).stream()
                            .anyMatch(finding -> finding.severity() == GgufFinding.Severity.DAMAGE);
                    assertThat(damaged).isEqualTo(!read);
                    return read;
                });
        assertThat(outcome.refused()).isPositive();
        assertThat(outcome.read()).isPositive();
    }

    private boolean reads(Path path, long size) throws IOException {
        GgufFile file;
        try {
            file = GgufFile.open(path);
        } catch (GgufException e) {
            assertThat(e.offset()).isBetween(0L, size);
            return false;
        }
        for (GgufTensor tensor : file.tensors()) {
            file.read(tensor, 0, ByteBuffer.allocate((int) tensor.bytes()));
        }
        file.metadata().values().forEach(GgufFuzzTest::read);
        try {
            assertThat(GgufModel.open(path).tensors()).isEqualTo(file.tensors());
        } catch (GgufException e) {
            // its keys of a split are damaged
        }
        copy(file);
        return true;
    }

    private static void read(GgufValue value) {
        assertThat(value.toString()).isNotEmpty();
        if (value.elementType() == GgufType.STRING) {
            for (int i = 0; i < value.length(); i++) {
                assertThat(value.string(i)).isNotNull();
            }
        } else if (value.elementType() == GgufType.BOOL) {
            for (int i = 0; i < value.length(); i++) {
                value.bool(i);
            }
        } else {
            value.floats();
        }
    }

    /** What can be read can be written again without a change, unless names are longer than ggml takes them. */
    private void copy(GgufFile file) throws IOException {
        Path copy = folder.resolve("copy.gguf");
        try {
            GgufEditor.of(file).writeTo(copy);
        } catch (IllegalArgumentException e) {
            assertThat(e).hasMessageContaining("63 bytes");
            return;
        }
        assertThat(Files.mismatch(file.path(), copy)).isEqualTo(-1);
        Files.delete(copy);
    }
}
