package org.panallama.tiny;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TinyModelTest {

    private final String systemTemporary = System.getProperty("java.io.tmpdir");

    @TempDir
    Path cache;

    @TempDir
    Path temporary;

    @BeforeEach
    void useOwnFolders() {
        System.setProperty("panallama.cache.dir", cache.toString());
        System.setProperty("java.io.tmpdir", temporary.toString());
    }

    @AfterEach
    void forgetOwnFolders() {
        System.clearProperty("panallama.cache.dir");
        System.setProperty("java.io.tmpdir", systemTemporary);
    }

    @Test
    void unpacksTheWholeModelOnce() throws Exception {
        Path file = TinyModel.path();
        assertThat(file).startsWith(cache).hasFileName("tiny-mixtral.f16.gguf").hasSize(TinyModel.SIZE);
        byte[] content = Files.readAllBytes(file);
        assertThat(new String(content, 0, 4, "US-ASCII")).isEqualTo("GGUF");
        assertThat(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content)))
                .isEqualTo(TinyModel.SHA256);

        Object written = Files.readAttributes(file, "creationTime,fileKey");
        assertThat(TinyModel.path()).isEqualTo(file);
        assertThat(Files.readAttributes(file, "creationTime,fileKey")).isEqualTo(written);
    }

    @Test
    void replacesACutFile() throws IOException {
        Path file = TinyModel.path();
        Files.write(file, new byte[1000]);
        assertThat(TinyModel.path()).isEqualTo(file).hasSize(TinyModel.SIZE);
    }

    @Test
    void fallsBackToTheTemporaryFolder() throws IOException {
        Path blocked = Files.createFile(cache.resolve("blocked"));
        System.setProperty("panallama.cache.dir", blocked.toString());
        Path file = TinyModel.path();
        assertThat(file).startsWith(temporary).hasSize(TinyModel.SIZE);
    }

    @Test
    void namesEveryFolderTriedWhenNoneCanBeWritten() throws IOException {
        Path blocked = Files.createFile(cache.resolve("blocked"));
        System.setProperty("panallama.cache.dir", blocked.toString());
        System.setProperty("java.io.tmpdir", blocked.toString());
        assertThatThrownBy(TinyModel::path)
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("-Dpanallama.cache.dir=DIR")
                .hasMessageContaining(blocked.resolve("models").toString())
                .hasMessageContaining(blocked.resolve("panallama-").toString());
    }

    @Test
    void severalJvmsMayUnpackAtTheSameTime() throws Exception {
        List<Process> jvms = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            jvms.add(new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Dpanallama.cache.dir=" + cache,
                            "-cp",
                            System.getProperty("java.class.path"),
                            PrintPath.class.getName())
                    .redirectErrorStream(true)
                    .start());
        }
        for (Process jvm : jvms) {
            String output = new String(jvm.getInputStream().readAllBytes(), "UTF-8");
            assertThat(jvm.waitFor()).as(output).isZero();
            assertThat(Path.of(output)).startsWith(cache).hasSize(TinyModel.SIZE);
        }
        try (Stream<Path> files = Files.list(TinyModel.path().getParent())) {
            assertThat(files).hasSize(1);
        }
    }

    static final class PrintPath {
        public static void main(String[] args) {
            System.out.print(TinyModel.path());
        }
    }
}
