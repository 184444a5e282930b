package org.panallama.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GpuBackendsTest {

    @TempDir
    Path folder;

    @Test
    void saysWhyEachDoesNotLoad() throws IOException {
        Path backend = write("libggml-vulkan.so");
        Path fallback = write("fallback/libggml-cuda.so");
        write("libggml-cpu-x64.so");
        assertThat(GpuBackends.problems(folder))
                .hasSize(2)
                .satisfiesExactly(
                        first -> assertThat(first).startsWith(fallback + ": ").doesNotContain("no device"),
                        second -> assertThat(second).startsWith(backend + ": ").doesNotContain("no device"));
    }

    @Test
    void hasNothingToSayOfTheCpuAlone() throws IOException {
        write("libggml-cpu-x64.so");
        assertThat(GpuBackends.problems(folder)).isEmpty();
    }

    private Path write(String name) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, "not a library\n".repeat(1000));
    }
}
