package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.tiny.TinyModel;

class GgufHashCommandTest {

    /** SHA-256 of what llama.cpp's {@code gguf-hash --all --uuid model.gguf} prints for the tiny model. */
    private static final String GGUF_HASH = "ccdc37bf3468cdf1669eb6b5e5c9a46319ec22e50ceee7d28e64093692c64446";

    @TempDir
    private Path folder;

    private String model;

    @BeforeEach
    void copyModel() throws IOException {
        model = Files.copy(TinyModel.path(), folder.resolve("model.gguf")).toString();
    }

    @Test
    void printsWhatGgufHashPrints() throws Exception {
        String out = Result.of("gguf", "hash", "--all", "--uuid", model).out().replace(model, "model.gguf");

        assertThat(out).startsWith("xxh64     d594ffa1590260de  model.gguf:output.weight\nsha1      3cb3c2e0");
        assertThat(out).endsWith("\nuuid      7199b257-ec75-5768-ba02-c8601cd2315f  model.gguf\n");
        assertThat(HexFormat.of()
                        .formatHex(MessageDigest.getInstance("SHA-256").digest(out.getBytes(StandardCharsets.UTF_8))))
                .isEqualTo(GGUF_HASH);
        assertThat(Result.of("gguf", "hash", "--no-layer", model).out())
                .isEqualTo("xxh64     3de1a7a918eda541  " + model + "\n");
    }

    @Test
    void checksAManifest() throws IOException {
        Path manifest = folder.resolve("manifest");
        Files.writeString(
                manifest,
                Result.of("gguf", "hash", "--all", "--uuid", "--metadata", model)
                        .out());

        Result checked = Result.of("gguf", "hash", "--check", manifest.toString(), "--metadata", model);
        assertThat(checked.status()).isZero();
        assertThat(checked.out())
                .startsWith("manifest  " + manifest + "  sha256  sha1  xxh64  uuid\nsha256    ")
                .contains(model + "  -  Ok\n", ":(metadata)  -  Ok\n")
                .doesNotContain("Mismatch", "Not Found", "xxh64    ")
                .endsWith("\n\nVerification results for " + manifest + " - Success\n");

        Files.writeString(manifest, Files.readString(manifest).replace("7199b257", "7199b258"));
        Result uuid = Result.of("gguf", "hash", "-c", manifest.toString(), "--uuid", "--xxh64", "--no-layer", model);
        assertThat(uuid.status()).isEqualTo(1);
        assertThat(uuid.out())
                .contains("xxh64     3de1a7a918eda541  " + model + "  -  Ok\n")
                .contains("uuid      7199b257-ec75-5768-ba02-c8601cd2315f  " + model + "  -  Mismatch\n")
                .endsWith(" - Failure\n");
    }

    @Test
    void aManifestWithoutWhatIsAskedForIsToldAtOnce() throws IOException {
        Path manifest = folder.resolve("manifest");
        Files.writeString(manifest, "xxh64  00  " + model + ":none\n");

        Result absent = Result.of("gguf", "hash", "--check", manifest.toString(), "--sha1", model);
        assertThat(absent.status()).isEqualTo(1);
        assertThat(absent.err()).contains(manifest + " has no sha1 of " + model + ", only xxh64");
        Result nothing = Result.of("gguf", "hash", "--check", manifest.toString(), model);
        assertThat(nothing.status()).isEqualTo(1);
        assertThat(nothing.out()).contains("  -  Not Found\n").endsWith(" - Manifest Missing Entry\n");
        assertThat(Result.of("gguf", "hash", "--json", "--check", manifest.toString(), model)
                        .status())
                .isEqualTo(2);
    }

    @Test
    void jsonHasTheHashesByAlgorithm() {
        String other = folder.resolve("other.gguf").toString();
        Result.of("gguf", "set", model, "general.name=Other", "-o", other);

        JsonObject one =
                Result.of("gguf", "hash", "--json", "--uuid", "--sha1", model).json();
        JsonObject two = Result.of("gguf", "hash", "--json", "--sha1", other).json();
        assertThat(one.keySet()).containsExactly("sha1", "uuid");
        assertThat(one.getAsJsonObject("sha1").keySet()).containsExactly("data", "metadata", "tensors");
        assertThat(one.getAsJsonObject("uuid").keySet()).containsExactly("data", "metadata");
        assertThat(two.getAsJsonObject("sha1").get("data"))
                .isEqualTo(one.getAsJsonObject("sha1").get("data"));
        assertThat(two.getAsJsonObject("sha1").get("metadata"))
                .isNotEqualTo(one.getAsJsonObject("sha1").get("metadata"));
    }
}
