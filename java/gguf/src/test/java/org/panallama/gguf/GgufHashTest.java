package org.panallama.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.panallama.gguf.GgufHash.Algorithm;
import org.panallama.gguf.GgufManifest.Result;
import org.panallama.tiny.TinyModel;

class GgufHashTest {

    @TempDir
    private Path folder;

    /** As {@code xxhsum -H1} prints them. */
    @ParameterizedTest
    @CsvSource({
        "0, ef46db3751d8e999",
        "1, 1f25c8d0bc1f4bb6",
        "3, 31d2363f52e564c9",
        "4, 9bb64b7d66ee9fda",
        "7, 9a7b149959ce60d8",
        "8, dab99d95c6f90092",
        "11, 7a52cc9457cf1a1f",
        "12, d52e407833af5133",
        "31, a2aa5f33cc4a6119",
        "32, 23c3c17ef790fd97",
        "33, 50a7cfc7ba588784",
        "63, 5e3e54b431c7493c",
        "64, 0eb64b3ef6eeb01f",
        "65, a383b724b2bd12f1",
        "100, a61f8d4c170fe531",
        "1000, 5f235fa033f1a3fb"
    })
    void xxh64IsThatOfItsMakers(int length, String expected) {
        byte[] data = new byte[length];
        for (int i = 0; i < length; i++) {
            data[i] = (byte) (7 * i + 3);
        }
        for (int piece : new int[] {1, 5, 32, 47, 1000}) {
            XxHash64 hash = new XxHash64();
            for (int from = 0; from < length; from += piece) {
                int count = Math.min(piece, length - from);
                if (from % 2 == 0) {
                    hash.update(data, from, count);
                } else {
                    hash.update(ByteBuffer.allocateDirect(count)
                            .put(data, from, count)
                            .flip());
                }
            }
            assertThat(HexFormat.of().formatHex(hash.digest()))
                    .as("in pieces of %d", piece)
                    .isEqualTo(expected);
            // And again, since a digest begins anew.
            assertThat(HexFormat.of().formatHex(hash.digest(data))).isEqualTo(expected);
        }
    }

    /** As llama.cpp's gguf-hash prints them. */
    @Test
    void aModelsHashesAreThoseOfLlamaCpp() throws IOException {
        GgufModel model = GgufModel.open(TinyModel.path());
        Map<Algorithm, GgufHash> hashes = GgufHash.of(model, EnumSet.allOf(Algorithm.class), done -> true);

        assertThat(hashes.get(Algorithm.XXH64).data()).isEqualTo("3de1a7a918eda541");
        assertThat(hashes.get(Algorithm.XXH64).tensors())
                .hasSize(63)
                .containsEntry("output.weight", "d594ffa1590260de")
                .containsEntry("token_embd.weight", "44815c2e7808d638");
        assertThat(hashes.get(Algorithm.SHA1).data()).isEqualTo("01e26ea211c0b03f783511176fcf2f114a4ded94");
        assertThat(hashes.get(Algorithm.SHA256).data())
                .isEqualTo("c06736964b709e0f797c254a9a750e8a3fcc6241c1197fef2cd612482cf3be39");
        assertThat(hashes.get(Algorithm.UUID).data()).isEqualTo("7199b257-ec75-5768-ba02-c8601cd2315f");
        assertThat(hashes.get(Algorithm.UUID).tensors()).isEmpty();
        assertThat(GgufHash.of(model, Algorithm.SHA1, done -> true)).isEqualTo(hashes.get(Algorithm.SHA1));
        assertThatThrownBy(() -> GgufHash.of(model, Set.of(), done -> true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("algorithms is empty");
    }

    @Test
    void aManifestKnowsModelsByPathOrName() throws IOException {
        Path manifest = manifest(
                "manifest  other  sha256",
                "xxh64     3de1a7a918eda541  models/tiny model.gguf",
                "xxh64     D594FFA1590260DE  models/tiny model.gguf:output.weight",
                "uuid      7199b257-ec75-5768-ba02-c8601cd2315f  models/tiny model.gguf",
                "sha1      00  other.gguf");
        for (String path : List.of("models/tiny model.gguf", "tiny model.gguf", "/elsewhere/tiny model.gguf")) {
            GgufManifest read = GgufManifest.read(manifest, Path.of(path));

            assertThat(read.algorithms()).containsExactly(Algorithm.XXH64, Algorithm.UUID);
            assertThat(read.check(Algorithm.XXH64, "3de1a7a918eda541")).isEqualTo(Result.OK);
            assertThat(read.check(Algorithm.XXH64, "output.weight", "d594ffa1590260de"))
                    .isEqualTo(Result.OK);
            assertThat(read.check(Algorithm.XXH64, "output.weight", "d594ffa1590260df"))
                    .isEqualTo(Result.MISMATCH);
            assertThat(read.check(Algorithm.XXH64, "norm", "d594ffa1590260de")).isEqualTo(Result.NOT_FOUND);
            assertThat(read.check(Algorithm.SHA1, "00")).isEqualTo(Result.NOT_FOUND);
        }
    }

    @Test
    void aManifestThatDoesNotFitIsRefused() throws IOException {
        Path model = Path.of("b/model.gguf");
        assertRefused(
                manifest("sha1  00  other.gguf"), model, "has no hashes of b", "it begins with those of other.gguf");
        assertRefused(
                manifest("sha1  00  a/model.gguf", "sha1  00  c/model.gguf:x"),
                model,
                "several files of this name: a/model.gguf, c/model.gguf");
        assertThat(GgufManifest.read(manifest("sha1  00  a/model.gguf", "sha1  01  b/model.gguf"), model)
                        .check(Algorithm.SHA1, "01"))
                .isEqualTo(Result.OK);
        assertRefused(manifest("hello"), model, "no line with a hash");
        assertRefused(TinyModel.path(), model, "is no text");
        assertRefused(folder.resolve("none"), model, "none: no such file");
    }

    private static void assertRefused(Path manifest, Path model, String... message) {
        assertThatThrownBy(() -> GgufManifest.read(manifest, model))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(message);
    }

    private Path manifest(String... lines) throws IOException {
        return Files.write(folder.resolve("manifest"), List.of(lines));
    }
}
