package org.panallama.gguf.internal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;

/**
 * Hidden names beside a target, under which it is written before it is moved into place. Where a process is killed before
 * that, what it wrote stays; the next one that writes the same target deletes it. A locked file tells what is still being
 * written. For any number of threads.
 */
public final class TemporaryNames {

    /** Those of this JVM, in which locks do not keep a channel from another. */
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

    private TemporaryNames() {}

    /** Deletes a file, or a folder and what is in it. */
    @FunctionalInterface
    public interface Deletion {
        /** @throws IOException if something of it stays */
        void delete(Path path) throws IOException;
    }

    /** Takes a name, which nobody has yet, until it is {@linkplain #release released}. */
    public static Path take(Path target) {
        Path name = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
        OWN.add(name.toAbsolutePath());
        return name;
    }

    /** What had the name is gone or in its place. */
    public static void release(Path name) {
        OWN.remove(name.toAbsolutePath());
    }

    /** Moves a file to its place, over one that is there; at once where the file system can. */
    public static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /**
     * Locks a new file until its channel is closed. Another process may have taken it for a leftover before: it is gone then.
     * File systems without locks have no leftovers deleted, either.
     */
    public static void lock(FileChannel channel) {
        try {
            channel.lock();
        } catch (IOException | OverlappingFileLockException e) {
            // Where there are no locks, nobody deletes.
        }
    }

    /**
     * Deletes what killed processes left of a target.
     *
     * @param lock the file that whoever writes under a name has locked; where there is none, the name is left alone
     */
    public static void deleteLeftovers(Path target, UnaryOperator<Path> lock, Deletion deletion) {
        deleteLeftovers(
                target, Pattern.compile(Pattern.quote(target.getFileName().toString())), lock, deletion);
    }

    /**
     * The same for several targets.
     *
     * @param beside one of them
     * @param names those of all
     */
    public static void deleteLeftovers(Path beside, Pattern names, UnaryOperator<Path> lock, Deletion deletion) {
        Pattern leftover = Pattern.compile("\\.(?:" + names.pattern() + ")\\.[0-9a-f-]{36}\\.tmp");
        Path folder = beside.toAbsolutePath().getParent();
        try (DirectoryStream<Path> paths = Files.newDirectoryStream(
                folder == null ? beside.toAbsolutePath() : folder,
                path -> leftover.matcher(path.getFileName().toString()).matches())) {
            for (Path path : paths) {
                if (!OWN.contains(path.toAbsolutePath()) && Files.isRegularFile(lock.apply(path))) {
                    deleteUnlessLocked(path, lock.apply(path), deletion);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // A folder that cannot be listed can be written to all the same.
        }
    }

    private static void deleteUnlessLocked(Path path, Path lock, Deletion deletion) {
        try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE)) {
            if (channel.tryLock() != null) {
                deletion.delete(path);
            }
        } catch (IOException | OverlappingFileLockException e) {
            // It is somebody else's.
        }
    }
}
