package org.panallama.tools.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Locale;
import java.util.stream.Stream;
import org.panallama.LlamaException;
import org.panallama.gguf.internal.WriteFailure;

/** Checks before long work that its result can be written, and says why it could not. */
public final class OutputPlace {

    private OutputPlace() {}

    /**
     * A file, which may be there already.
     *
     * @param inputs what is read for it: files, or folders with all their files but those of the GGUF format
     * @throws LlamaException if it cannot be written, or is one of the inputs
     */
    public static void requireFile(Path target, Collection<Path> inputs) throws IOException {
        if (target.getFileName() == null || Files.isDirectory(target)) {
            throw refused(target, "it is a folder; name a file");
        }
        requireOther(target, inputs);
        requireParent(target);
    }

    /** A file that is none of those that are read for it; see {@link #requireFile}. */
    public static void requireOther(Path target, Collection<Path> inputs) throws IOException {
        if (!Files.exists(target)) {
            return;
        }
        for (Path input : inputs) {
            if (Files.isDirectory(input)) {
                try (Stream<Path> files = Files.list(input)) {
                    requireOther(
                            target,
                            files.filter(file -> Files.isRegularFile(file)
                                            && !file.toString().endsWith(".gguf"))
                                    .toList());
                }
            } else if (Files.exists(input) && Files.isSameFile(target, input)) {
                throw refused(target, "it is one of the files that are read for it; name another");
            }
        }
    }

    /** A folder that is not there yet, or is empty. */
    public static void requireFolder(Path target) throws IOException {
        if (Files.exists(target)) {
            if (!Files.isDirectory(target)) {
                throw refused(target, "it is a file; name a folder");
            }
            try (Stream<Path> files = Files.list(target)) {
                if (files.findAny().isPresent()) {
                    throw refused(target, "the folder is not empty; name a new one, or delete it first");
                }
            }
        }
        requireParent(target);
    }

    private static void requireParent(Path target) {
        Path parent = target.toAbsolutePath().getParent();
        if (parent == null || !Files.isDirectory(parent)) {
            throw refused(target, "the folder " + parent + " does not exist; create it, or choose another");
        }
        if (!Files.isWritable(parent)) {
            throw refused(target, "the folder " + parent + " may not be written to; choose another");
        }
    }

    /**
     * Room for a result, once what earlier attempts left is deleted; {@link org.panallama.gguf.GgufWriter} does both itself.
     *
     * @param bytes its size, or a little less
     * @throws LlamaException if the disk has less
     */
    public static void requireRoom(Path target, long bytes) throws IOException {
        long room = Files.getFileStore(target.toAbsolutePath().getParent()).getUsableSpace();
        if (room < bytes) {
            throw refused(
                    target,
                    "it will have " + size(bytes) + ", " + size(bytes - room)
                            + " more than the disk has room for; free some, choose another disk or a smaller type");
        }
    }

    /** What to throw when writing failed. */
    public static LlamaException failed(Path target, IOException e) {
        return new LlamaException(
                "C" + String.valueOf(WriteFailure.of(target, e).getMessage()).substring(1), e);
    }

    private static String size(long bytes) {
        String[] units = {"bytes", "kB", "MB", "GB", "TB"};
        double number = bytes;
        int unit = 0;
        while (number >= 1000 && unit < units.length - 1) {
            number /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", number, units[unit]);
    }

    private static LlamaException refused(Path target, String why) {
        return new LlamaException("Cannot write " + target + ": " + why);
    }
}
