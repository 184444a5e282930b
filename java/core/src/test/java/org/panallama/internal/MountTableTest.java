package org.panallama.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountTableTest {

    private Path folder;

    @TempDir
    Path scratch;

    @BeforeEach
    void makeFolder() throws IOException {
        folder = Files.createDirectories(scratch.resolve("with blank/cache")).toRealPath();
    }

    @Test
    void theInnermostMountDecides() throws IOException {
        String point = folder.getParent().toString().replace(" ", "\\040");
        assertThat(table("/dev/sda / ext4 rw,noexec 0 0").forbidsExecution(folder))
                .isTrue();
        assertThat(table("/dev/sda / ext4 rw,noexec 0 0", "tmpfs " + point + " tmpfs rw,nosuid 0 0")
                        .forbidsExecution(folder))
                .isFalse();
        assertThat(table("tmpfs " + point + " tmpfs rw,nosuid,noexec,relatime 0 0", "/dev/sda / ext4 rw 0 0")
                        .forbidsExecution(folder))
                .isTrue();
    }

    @Test
    void theLastMountOnAPointDecides() throws IOException {
        assertThat(table("/dev/sda / ext4 rw,noexec 0 0", "overlay / overlay rw 0 0")
                        .forbidsExecution(folder))
                .isFalse();
    }

    @Test
    void aNameThatOnlyBeginsTheSameIsAnotherFolder() throws IOException {
        String sibling = folder.toString().replace(" ", "\\040").replaceFirst("e$", "");
        assertThat(table("/dev/sda / ext4 rw 0 0", "tmpfs " + sibling + " tmpfs noexec 0 0")
                        .forbidsExecution(folder))
                .isFalse();
    }

    @Test
    void anOptionThatOnlyBeginsTheSameIsAnotherOption() throws IOException {
        assertThat(table("/dev/sda / ext4 rw,noexecutives 0 0").forbidsExecution(folder))
                .isFalse();
    }

    @Test
    void withoutATableNothingIsForbidden() {
        assertThat(new MountTable(scratch.resolve("none")).forbidsExecution(folder))
                .isFalse();
    }

    private MountTable table(String... lines) throws IOException {
        return new MountTable(Files.write(scratch.resolve("mounts"), java.util.List.of(lines)));
    }
}
