package org.panallama.internal;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;
import org.panallama.LlamaException;

/** Files that appear whole or not at all: written under a temporary name in the same directory and moved into place. */
public final class AtomicFile {

    private AtomicFile() {}

    /** Writes a file's content to the path it is given. */
    @FunctionalInterface
    public interface Writer {
        void write(Path temporary) throws IOException;
    }

    /**
     * Runs the writer with the temporary path, then moves the file to the target, over an existing one.
     *
     * @throws LlamaException if the content cannot be written or moved into place; nothing is left behind then
     */
    public static void write(Path target, Writer writer) {
        Path directory = target.toAbsolutePath().getParent();
        Path temporary = null;
        try {
            // Not Files.createTempFile: it hides the file from everybody else, and what is written here may be shared.
            temporary =
                    Files.createFile(directory.resolve("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp"));
            writer.write(temporary);
            move(temporary, target);
        } catch (IOException e) {
            throw new LlamaException("Cannot write " + target + ": " + e, e);
        } finally {
            if (temporary != null) {
                delete(temporary);
            }
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void delete(Path temporary) {
        try {
            Files.deleteIfExists(temporary);
        } catch (IOException e) {
            temporary.toFile().deleteOnExit();
        }
    }
}
