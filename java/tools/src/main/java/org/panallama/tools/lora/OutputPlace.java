package org.panallama.tools.lora;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.panallama.LlamaException;

/** Checks before long work that its result can be written. */
final class OutputPlace {

    private OutputPlace() {}

    static void requireFile(Path target, long bytes) throws IOException {
        if (Files.isDirectory(target)) {
            throw new LlamaException("Cannot write " + target + ": it is a folder; name a file");
        }
        requireRoom(target, bytes);
    }

    /** A folder that is not there yet, or is empty. */
    static void requireFolder(Path target, long bytes) throws IOException {
        if (Files.exists(target)) {
            if (!Files.isDirectory(target)) {
                throw new LlamaException("Cannot write " + target + ": it is a file; name a folder");
            }
            try (Stream<Path> files = Files.list(target)) {
                if (files.findAny().isPresent()) {
                    throw new LlamaException(
                            "Cannot write " + target + ": the folder is not empty; name a new one, or delete it first");
                }
            }
        }
        requireRoom(target, bytes);
    }

    private static void requireRoom(Path target, long bytes) throws IOException {
        Path parent = target.toAbsolutePath().getParent();
        if (parent == null || !Files.isDirectory(parent)) {
            throw new LlamaException("Cannot write " + target + ": the folder " + parent + " does not exist");
        }
        long room = Files.getFileStore(parent).getUsableSpace();
        if (room < bytes) {
            throw new LlamaException("Cannot write " + target + ": it will have " + (bytes >> 20)
                    + " MiB, and the disk has room for " + (room >> 20) + " MiB");
        }
    }
}
