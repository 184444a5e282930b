package org.panallama.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.internal.ChildJvm;

/** What becomes of unfinished files, and of places where none can be written. */
class PendingFileTest {

    private static final GgufTensor TENSOR = GgufTensor.of("a", GgmlType.F32, List.of(1L));

    @TempDir
    private Path folder;

    @Test
    void whatAKilledProcessLeftGoesWithTheNextAttempt() throws IOException {
        Path target = folder.resolve("model.gguf");
        Path leftover = leftover("model.gguf");
        Path ofAnother = leftover("model.gguf.gguf");
        Path named = Files.createFile(folder.resolve(".model.gguf.mine.tmp"));
        Path locked = leftover("model.gguf");
        try (FileChannel writing = FileChannel.open(locked, StandardOpenOption.WRITE)) {
            assertThat(writing.tryLock()).isNotNull();
            try (GgufWriter first = writer(target);
                    GgufWriter second = writer(target)) {
                assertThat(leftover).doesNotExist();
                // Both of this JVM, the locked one and those of other names.
                assertThat(files()).hasSize(5).contains(ofAnother, named, locked);
                assertThat(first.current()).isEqualTo(second.current());
            }
        }
        assertThat(files()).containsExactlyInAnyOrder(ofAnother, named, locked);
    }

    /** Each deletes what others left of it, and what these are still writing only looks like that. */
    @Test
    void processesThatWriteTheSameFileLeaveEachOthersAlone() throws Exception {
        Path target = folder.resolve("model.gguf");
        ChildJvm.runTogether(3, ManyWrites.class, target.toString());
        assertThat(files()).containsExactly(target);
    }

    /** The program of those processes. */
    static final class ManyWrites {
        public static void main(String[] args) throws IOException {
            for (int i = 0; i < 100; i++) {
                write(Path.of(args[0]));
            }
        }
    }

    @Test
    void aPlaceThatCannotTakeTheFileIsToldBefore() {
        assertRefused(folder, List.of(TENSOR), "cannot write " + folder + ": it is a folder; name a file");
        assertRefused(
                folder.resolve("none/model.gguf"),
                List.of(TENSOR),
                "the folder " + folder.resolve("none") + " does not exist; create it");
        assertRefused(
                folder.resolve("model.gguf"),
                List.of(GgufTensor.of("a", GgmlType.F32, List.of(1L << 58))),
                "cannot write " + folder.resolve("model.gguf") + ": it needs 115292150460684",
                "and the disk has room for ");
    }

    @Test
    void splittingSparesTheModelsOwnFiles() throws IOException {
        Path target = folder.resolve("model-00001-of-00001.gguf");
        write(target);
        GgufSplitter splitter = GgufSplitter.byTensors(GgufModel.open(target), 1);

        assertThatThrownBy(() -> splitter.write(folder.resolve("model"), done -> true))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(target + " is one of the files to be split; choose another name");
        assertThatThrownBy(() -> splitter.paths(folder.getRoot()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("must end in the beginning of a file's name");
    }

    @Test
    void whatAKilledSplitLeftGoesWithOneIntoAnotherNumberOfParts() throws IOException {
        Path model = folder.resolve("whole.gguf");
        write(model);
        Path others = leftover("models-00001-of-00003.gguf");
        Path whole = leftover("model.gguf");
        leftover("model-00001-of-00003.gguf");
        leftover("model-00003-of-00003.gguf");

        List<Path> parts =
                GgufSplitter.byTensors(GgufModel.open(model), 1).write(folder.resolve("model.gguf"), done -> true);

        assertThat(parts).containsExactly(folder.resolve("model-00001-of-00001.gguf"));
        assertThat(files()).containsExactlyInAnyOrder(model, others, whole, parts.get(0));
    }

    private static GgufWriter writer(Path target) throws IOException {
        return GgufWriter.create(target, Map.of(), List.of(TENSOR));
    }

    private static void write(Path target) throws IOException {
        try (GgufWriter writer = writer(target)) {
            writer.write(ByteBuffer.allocate(Float.BYTES));
            writer.finish();
        }
    }

    private static void assertRefused(Path target, List<GgufTensor> tensors, String... message) {
        assertThatThrownBy(() -> GgufWriter.create(target, Map.of(), tensors))
                .isInstanceOf(IOException.class)
                .hasMessageContainingAll(message);
    }

    private Path leftover(String name) throws IOException {
        return Files.createFile(folder.resolve("." + name + "." + UUID.randomUUID() + ".tmp"));
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }
}
