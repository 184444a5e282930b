package org.panallama.tools.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.LlamaException;
import org.panallama.internal.ChildJvm;

class OutputPlaceTest {

    @TempDir
    private Path folder;

    @Test
    void whatIsReadIsNotOverwritten() throws IOException {
        Path checkpoint = Files.createDirectory(folder.resolve("checkpoint"));
        Path shard = Files.createFile(checkpoint.resolve("model.safetensors"));
        Path earlier = Files.createFile(checkpoint.resolve("model.gguf"));
        Path base = Files.createFile(folder.resolve("base.gguf"));
        Path link = Files.createSymbolicLink(folder.resolve("link.gguf"), base);
        List<Path> inputs = List.of(checkpoint, base);

        for (Path input : List.of(shard, base, link, folder.resolve("checkpoint/../base.gguf"))) {
            assertRefused(
                    () -> OutputPlace.requireFile(input, inputs), input + ": it is one of the files that are read");
        }
        assertThatCode(() -> OutputPlace.requireFile(earlier, inputs)).doesNotThrowAnyException();
        assertThatCode(() -> OutputPlace.requireFile(folder.resolve("new.gguf"), inputs))
                .doesNotThrowAnyException();
    }

    @Test
    void aPlaceThatCannotTakeTheResultIsNamed() throws IOException {
        assertRefused(() -> OutputPlace.requireFile(folder, List.of()), folder + ": it is a folder; name a file");
        assertRefused(() -> OutputPlace.requireFile(folder.getRoot(), List.of()), "it is a folder; name a file");
        assertRefused(
                () -> OutputPlace.requireFile(folder.resolve("none/a"), List.of()),
                "the folder " + folder.resolve("none") + " does not exist; create it");
        Path file = Files.createFile(folder.resolve("file"));
        assertRefused(() -> OutputPlace.requireFolder(file), "it is a file; name a folder");
        assertRefused(() -> OutputPlace.requireFolder(folder), "the folder is not empty");
        assertRefused(
                () -> OutputPlace.requireRoom(file, 1L << 60),
                "it will have 1152921.5 TB, 11",
                "more than the disk has room");
    }

    @Test
    void aFailureIsToldWithoutTheJdksNames() {
        Path target = folder.resolve("a.gguf");
        assertThat(OutputPlace.failed(target, new IOException("cannot write b: why")))
                .hasMessage("Cannot write b: why");
        assertThat(OutputPlace.failed(target, new IOException("Bad luck")))
                .hasMessage("Cannot write " + target + ": Bad luck");
        assertThat(OutputPlace.failed(target, new AccessDeniedException("/x")))
                .hasMessage("Cannot write " + target + ": /x may not be written to");
        assertThat(OutputPlace.failed(target, new NoSuchFileException("/x"))).hasMessageContaining("NoSuchFile", "/x");
    }

    @Test
    void aFolderThatAKilledProcessLeftGoesWithTheNextAttempt() throws IOException {
        Path target = folder.resolve("model");
        Path leftover = leftover("model");
        Path ofAnother = leftover("models");
        Path locked = leftover("model");
        try (FileChannel writing = FileChannel.open(locked.resolve(".lock"), StandardOpenOption.WRITE)) {
            assertThat(writing.tryLock()).isNotNull();
            try (StagingFolder staging = new StagingFolder(target);
                    StagingFolder other = new StagingFolder(target)) {
                Files.writeString(staging.file("a"), "b");
                assertThat(leftover).doesNotExist();
                assertThat(List.of(ofAnother, locked, other.file(""))).allMatch(Files::isDirectory);
                staging.moveIntoPlace();
            }
        }
        assertThat(target.resolve("a")).hasContent("b");
        try (var files = Files.list(target)) {
            assertThat(files).hasSize(1);
        }
        try (var files = Files.list(folder)) {
            assertThat(files).containsExactlyInAnyOrder(target, ofAnother, locked);
        }
    }

    /** Each deletes what others left of it, and what these are still writing only looks like that. */
    @Test
    void processesThatWriteTheSameFileLeaveEachOthersAlone() throws Exception {
        Path target = folder.resolve("model.gguf");
        ChildJvm.runTogether(3, ManyWrites.class, target.toString());
        try (var files = Files.list(folder)) {
            assertThat(files).containsExactly(target);
        }
    }

    /** The program of those processes. */
    static final class ManyWrites {
        public static void main(String[] args) throws IOException {
            Path target = Path.of(args[0]);
            for (int i = 0; i < 100; i++) {
                try (StagingFolder staging = new StagingFolder(target)) {
                    Path file = Files.createFile(staging.file("model.gguf"));
                    staging.moveIntoPlace(List.of(file));
                }
            }
        }
    }

    private Path leftover(String name) throws IOException {
        Path left = Files.createDirectory(folder.resolve("." + name + "." + UUID.randomUUID() + ".tmp"));
        Files.createFile(left.resolve(".lock"));
        Files.writeString(left.resolve("model.safetensors"), "half");
        return left;
    }

    private static void assertRefused(ThrowingCallable call, String... message) {
        assertThatThrownBy(call)
                .isInstanceOf(LlamaException.class)
                .hasMessageStartingWith("Cannot write ")
                .hasMessageContainingAll(message);
    }
}
