package org.panallama.fit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinuxMemoryTest {

    @TempDir
    Path root;

    private LinuxMemory memory() throws IOException {
        write("proc/meminfo", "MemTotal:       1000 kB\nMemAvailable:    600 kB\n");
        return new LinuxMemory(root.resolve("proc"), root.resolve("cgroup"));
    }

    private void write(String file, String content) throws IOException {
        Path path = root.resolve(file);
        Files.createDirectories(path.getParent());
        Files.writeString(path, content);
    }

    @Test
    void theKernelsEstimateCountsWithoutLimits() throws Exception {
        assertThat(memory().availableBytes()).hasValue(600 * 1024);
    }

    @Test
    void theGroupAndThoseAroundItLimit() throws Exception {
        LinuxMemory memory = memory();
        write("proc/self/cgroup", "0::/outer/inner\n");
        write("cgroup/outer/inner/memory.max", "max\n");
        write("cgroup/outer/inner/memory.current", "1000\n");
        assertThat(memory.availableBytes()).hasValue(600 * 1024);
        write("cgroup/outer/memory.max", "400000\n");
        write("cgroup/outer/memory.current", "150000\n");
        write("cgroup/outer/memory.stat", "anon 100000\ninactive_file 50000\n");
        assertThat(memory.availableBytes()).hasValue(300_000);
    }

    @Test
    void containersOfVersion1Limit() throws Exception {
        LinuxMemory memory = memory();
        write("cgroup/memory/memory.limit_in_bytes", "200000\n");
        write("cgroup/memory/memory.usage_in_bytes", "150000\n");
        write("cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 20000\n");
        assertThat(memory.availableBytes()).hasValue(70_000);
    }

    @Test
    void otherSystemsDoNotSay() {
        assertThat(new LinuxMemory(root, root).availableBytes()).isEmpty();
    }
}
