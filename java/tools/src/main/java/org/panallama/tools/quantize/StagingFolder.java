package org.panallama.tools.quantize;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A hidden folder beside the output, in which files are written before they are moved into place. It goes when it is closed,
 * and also where the JVM ends before that, as by Ctrl-C while llama.cpp is busy with a tensor.
 */
final class StagingFolder implements Closeable {

    private final Path target;
    private final Path folder;
    private final Thread hook = new Thread(this::deleteQuietly, "staging");

    /** @param target where the file will be, or the first of them */
    StagingFolder(Path target) throws IOException {
        this.target = target.toAbsolutePath();
        folder = this.target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
        Files.createDirectory(folder);
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** The path in this folder of a file that will be beside the target. */
    Path file(String name) {
        return folder.resolve(name);
    }

    /** Moves the files into place, over others of the same names. */
    void moveIntoPlace(List<Path> files) throws IOException {
        for (Path file : files) {
            Path to = target.resolveSibling(file.getFileName());
            try {
                Files.move(file, to, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(file, to, StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    private void deleteQuietly() {
        try {
            delete();
        } catch (IOException e) {
            folder.toFile().deleteOnExit();
        }
    }

    private void delete() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
        } finally {
            Files.deleteIfExists(folder);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            return; // the JVM is ending: the hook deletes it
        }
        delete();
    }
}
