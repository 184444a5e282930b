package org.panallama.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.LlamaException;

class AtomicFileTest {

    @TempDir
    Path folder;

    @Test
    void whatFailsLeavesTheOldFileAndNothingElse() throws Exception {
        Path target = Files.writeString(folder.resolve("table.json"), "old");
        assertThatThrownBy(() -> AtomicFile.write(target, temporary -> {
                    Files.writeString(temporary, "half");
                    throw new IOException("No space left on device");
                }))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("Cannot write " + target)
                .hasMessageContaining("No space left");
        assertThat(target).hasContent("old");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(target);
        }
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // has no such permissions
    void othersMayReadItAsAnyNewFile() throws Exception {
        Path ordinary = Files.createFile(folder.resolve("ordinary"));
        Path target = folder.resolve("table.json");
        AtomicFile.write(target, temporary -> Files.writeString(temporary, "new"));
        assertThat(Files.getPosixFilePermissions(target)).isEqualTo(Files.getPosixFilePermissions(ordinary));
    }
}
