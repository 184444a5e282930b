package org.panallama.gguf;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A file that is written under a temporary name beside its target, until it is moved into place or closed. Where a
 * process is killed before, the file stays; the next one that writes the same target deletes it. A lock tells which
 * files are still being written.
 */
final class PendingFile implements Closeable {

    /** Those of this JVM, in which locks do not keep a channel from another. */
    private static final Set<Path> OWN = ConcurrentHashMap.newKeySet();

    /** Less room than this is none: what is to be written next may take more. */
    private static final long FULL = 1 << 20;

    private final Path target;
    private final Path temporary;
    private final FileChannel channel;

    /**
     * Begins a file.
     *
     * @param bytes how many it will have at least
     * @throws IOException if it cannot be written here, or the disk has no room for it
     */
    PendingFile(Path target, long bytes) throws IOException {
        // Behind a link it is the file that is written, not the link that is replaced.
        this.target = Files.isSymbolicLink(target) && Files.exists(target) ? target.toRealPath() : target;
        Path folder = folder(this.target);
        if (Files.isDirectory(this.target)) {
            throw cannotWrite(target, "it is a folder; name a file", null);
        }
        if (!Files.isDirectory(folder)) {
            throw cannotWrite(target, "the folder " + folder + " does not exist; create it, or choose another", null);
        }
        deleteLeftovers(this.target);
        requireRoom(this.target, bytes);
        // Not Files.createTempFile: it hides the file from everybody else, and models are shared.
        this.temporary = this.target.resolveSibling(prefix(this.target) + UUID.randomUUID() + ".tmp");
        OWN.add(temporary.toAbsolutePath());
        try {
            this.channel = create(temporary);
        } catch (IOException e) {
            OWN.remove(temporary.toAbsolutePath());
            throw e instanceof AccessDeniedException
                    ? cannotWrite(target, "the folder " + folder + " may not be written to; choose another", e)
                    : failed(e);
        }
    }

    /** Checks that the disk has room for what is to be written at a path, whose folder may be missing. */
    static void requireRoom(Path target, long bytes) throws IOException {
        Path folder = folder(target);
        long room = Files.isDirectory(folder) ? Files.getFileStore(folder).getUsableSpace() : bytes;
        if (room < bytes) {
            throw cannotWrite(
                    target,
                    "it needs " + bytes + " bytes, and the disk has room for " + room + "; free some or choose another",
                    null);
        }
    }

    private static Path folder(Path target) {
        Path parent = target.toAbsolutePath().getParent();
        return parent == null ? target.toAbsolutePath() : parent;
    }

    private static FileChannel create(Path temporary) throws IOException {
        while (true) {
            FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
            lock(channel);
            // Another process may have taken it for a leftover before it was locked.
            if (Files.exists(temporary)) {
                return channel;
            }
            channel.close();
        }
    }

    /** The lock goes with its channel. File systems without locks have no leftovers deleted, either. */
    private static @Nullable FileLock lock(FileChannel channel) {
        try {
            return channel.tryLock();
        } catch (IOException | OverlappingFileLockException e) {
            return null;
        }
    }

    private static String prefix(Path target) {
        return "." + target.getFileName() + ".";
    }

    /** Deletes what killed processes left of a file. */
    static void deleteLeftovers(Path target) {
        Pattern leftover = Pattern.compile(Pattern.quote(prefix(target)) + "[0-9a-f-]{36}\\.tmp");
        try (DirectoryStream<Path> files = Files.newDirectoryStream(
                folder(target),
                file -> leftover.matcher(file.getFileName().toString()).matches())) {
            for (Path file : files) {
                if (!OWN.contains(file.toAbsolutePath()) && Files.isRegularFile(file)) {
                    deleteUnlessLocked(file);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            // A folder that cannot be listed can be written to all the same.
        }
    }

    private static void deleteUnlessLocked(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            if (lock(channel) != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            // It is somebody else's.
        }
    }

    long position() throws IOException {
        return channel.position();
    }

    void write(ByteBuffer data) throws IOException {
        try {
            while (data.hasRemaining()) {
                channel.write(data);
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Writes zeros up to the next multiple of the alignment. */
    void pad(int alignment) throws IOException {
        write(ByteBuffer.allocate((int) (-channel.position() & (alignment - 1))));
    }

    /** Appends bytes of another file; the system copies them without the heap. */
    void append(FileChannel source, long from, long count) throws IOException {
        try {
            for (long done = 0; done < count; ) {
                long n = source.transferTo(from + done, count - done, channel);
                if (n <= 0) {
                    throw new IOException("the source was cut short while it was copied");
                }
                done += n;
            }
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Ends writing. */
    void complete() throws IOException {
        channel.close();
    }

    /** Moves the file into place, over one that is there. */
    void moveIntoPlace() throws IOException {
        complete();
        try {
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
        } catch (NoSuchFileException e) {
            throw failed(new IOException("its temporary file " + temporary + " was deleted", e));
        }
    }

    /** Deletes the file unless it was moved into place. */
    @Override
    public void close() throws IOException {
        channel.close();
        Files.deleteIfExists(temporary);
        OWN.remove(temporary.toAbsolutePath());
    }

    private IOException failed(IOException e) {
        long room = Long.MAX_VALUE;
        try {
            room = Files.getFileStore(folder(target)).getUsableSpace();
        } catch (IOException unknown) {
            e.addSuppressed(unknown);
        }
        String why = e.getMessage() == null ? e.toString() : e.getMessage();
        return cannotWrite(
                target, room < FULL ? "the disk is full; free some room or choose another (" + why + ")" : why, e);
    }

    private static IOException cannotWrite(Path target, String why, @Nullable IOException cause) {
        return new IOException("cannot write " + target + ": " + why, cause);
    }
}
