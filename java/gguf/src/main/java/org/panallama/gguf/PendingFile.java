package org.panallama.gguf;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.panallama.gguf.internal.TemporaryNames;
import org.panallama.gguf.internal.WriteFailure;

/** A file that is written under a {@linkplain TemporaryNames temporary name}, until it is moved into place or closed. */
final class PendingFile implements Closeable {

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
        TemporaryNames.deleteLeftovers(this.target, file -> file, Files::deleteIfExists);
        requireRoom(this.target, bytes);
        // Not Files.createTempFile: it hides the file from everybody else, and models are shared.
        this.temporary = TemporaryNames.take(this.target);
        try {
            this.channel = create(temporary);
        } catch (IOException e) {
            TemporaryNames.release(temporary);
            throw e instanceof AccessDeniedException
                    ? cannotWrite(target, "the folder " + folder + " may not be written to; choose another", e)
                    : WriteFailure.of(this.target, e);
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
            TemporaryNames.lock(channel);
            if (Files.exists(temporary)) {
                return channel;
            }
            channel.close();
        }
    }

    /** Deletes what killed processes left of files beside one, which have such names. */
    static void deleteLeftovers(Path beside, Pattern names) {
        TemporaryNames.deleteLeftovers(beside, names, file -> file, Files::deleteIfExists);
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
            throw WriteFailure.of(target, e);
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
            throw WriteFailure.of(target, e);
        }
    }

    /** Moves the file into place, over one that is there. */
    void moveIntoPlace() throws IOException {
        try {
            TemporaryNames.move(temporary, target);
        } catch (NoSuchFileException e) {
            throw WriteFailure.of(target, new IOException("its temporary file " + temporary + " was deleted", e));
        }
        // Not before: without its lock, another process would take it for a leftover.
        channel.close();
    }

    /** Deletes the file unless it was moved into place. */
    @Override
    public void close() throws IOException {
        channel.close();
        Files.deleteIfExists(temporary);
        TemporaryNames.release(temporary);
    }

    private static IOException cannotWrite(Path target, String why, @Nullable IOException cause) {
        return new IOException("cannot write " + target + ": " + why, cause);
    }
}
