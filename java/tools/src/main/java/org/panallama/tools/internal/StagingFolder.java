package org.panallama.tools.internal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.panallama.gguf.internal.TemporaryNames;

/**
 * A folder under a {@linkplain TemporaryNames temporary name}, in which files are written before they are moved into place. It
 * goes when it is closed, and also where the JVM ends before that, as by Ctrl-C while llama.cpp is busy with a tensor. A locked
 * file in it tells that it is in use.
 */
public final class StagingFolder implements Closeable {

    private static final String LOCK = ".lock";

    private final Path target;
    private final Path folder;
    private final FileChannel lock;
    private final Thread hook = new Thread(this::deleteQuietly, "staging");

    /** @param target where the file will be, or the first of them, or the folder */
    public StagingFolder(Path target) throws IOException {
        this.target = target.toAbsolutePath();
        TemporaryNames.deleteLeftovers(this.target, path -> path.resolve(LOCK), StagingFolder::delete);
        Path taken;
        FileChannel channel;
        do {
            taken = TemporaryNames.take(this.target);
            Files.createDirectory(taken);
            channel = FileChannel.open(taken.resolve(LOCK), StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
            TemporaryNames.lock(channel);
        } while (isLost(taken, channel));
        folder = taken;
        lock = channel;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    private static boolean isLost(Path folder, FileChannel lock) throws IOException {
        if (Files.exists(folder.resolve(LOCK))) {
            return false;
        }
        lock.close();
        TemporaryNames.release(folder);
        return true;
    }

    /** The path in this folder of a file that will be beside the target. */
    public Path file(String name) {
        return folder.resolve(name);
    }

    /** Moves files into place, over others of the same names. */
    public void moveIntoPlace(List<Path> files) throws IOException {
        for (Path file : files) {
            TemporaryNames.move(file, target.resolveSibling(file.getFileName()));
        }
    }

    /** Moves the folder itself into place, over an empty one. */
    public void moveIntoPlace() throws IOException {
        unlock();
        Files.deleteIfExists(target);
        Files.move(folder, target);
    }

    /** The file goes while it is locked: where it is there without a lock, the folder is a leftover. */
    private void unlock() throws IOException {
        Files.deleteIfExists(folder.resolve(LOCK));
        lock.close();
    }

    private void deleteQuietly() {
        try {
            delete(folder);
        } catch (IOException e) {
            folder.toFile().deleteOnExit();
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
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
        unlock();
        delete(folder);
        TemporaryNames.release(folder);
    }
}
