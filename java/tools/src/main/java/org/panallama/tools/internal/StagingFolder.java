package org.panallama.tools.internal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A hidden folder beside the output, in which files are written before they are moved into place. It goes when it is closed,
 * and also where the JVM ends before that, as by Ctrl-C while llama.cpp is busy with a tensor. Where the process is killed, it
 * stays; the next one that writes the same output deletes it. A locked file in it tells which are in use.
 */
public final class StagingFolder implements Closeable {

    private static final String LOCK = ".lock";

    /** Those of this JVM, in which locks do not keep a channel from another. */
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

    private final Path target;
    private final Path folder;
    private final FileChannel lock;
    private final Thread hook = new Thread(this::deleteQuietly, "staging");

    /** @param target where the file will be, or the first of them, or the folder */
    public StagingFolder(Path target) throws IOException {
        this.target = target.toAbsolutePath();
        String name = "." + target.getFileName() + ".";
        deleteLeftovers(Objects.requireNonNull(this.target.getParent()), name);
        folder = this.target.resolveSibling(name + UUID.randomUUID() + ".tmp");
        OWN.add(folder);
        Files.createDirectory(folder);
        lock = FileChannel.open(folder.resolve(LOCK), StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        lock(lock);
        Runtime.getRuntime().addShutdownHook(hook);
    }

    /** The lock goes with its channel. File systems without locks have no leftovers deleted, either. */
    private static @Nullable FileLock lock(FileChannel channel) {
        try {
            return channel.tryLock();
        } catch (IOException | OverlappingFileLockException e) {
            return null;
        }
    }

    private static void deleteLeftovers(Path parent, String name) {
        Pattern leftover = Pattern.compile(Pattern.quote(name) + "[0-9a-f-]{36}\\.tmp");
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(
                parent, path -> leftover.matcher(path.getFileName().toString()).matches())) {
            for (Path folder : folders) {
                if (!OWN.contains(folder.toAbsolutePath()) && Files.isDirectory(folder)) {
                    deleteUnlessLocked(folder);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // A folder that cannot be listed can be written to all the same.
        }
    }

    private static void deleteUnlessLocked(Path folder) {
        try (FileChannel channel = FileChannel.open(folder.resolve(LOCK), StandardOpenOption.WRITE)) {
            if (lock(channel) != null) {
                delete(folder);
            }
        } catch (IOException e) {
            // It is somebody else's.
        }
    }

    /** The path in this folder of a file that will be beside the target. */
    public Path file(String name) {
        return folder.resolve(name);
    }

    /** Moves files into place, over others of the same names. */
    public void moveIntoPlace(List<Path> files) throws IOException {
        for (Path file : files) {
            Path to = target.resolveSibling(file.getFileName());
            try {
                Files.move(file, to, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(file, to, StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    /** Moves the folder itself into place, over an empty one. */
    public void moveIntoPlace() throws IOException {
        lock.close();
        Files.deleteIfExists(folder.resolve(LOCK));
        Files.deleteIfExists(target);
        Files.move(folder, target);
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
        lock.close();
        delete(folder);
        OWN.remove(folder);
    }
}
