package org.panallama.gguf;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/** A file that is written under a temporary name beside its target, until it is moved into place or closed. */
final class PendingFile implements Closeable {

    private final Path target;
    private final Path temporary;
    private final FileChannel channel;

    PendingFile(Path target) throws IOException {
        // Behind a link it is the file that is written, not the link that is replaced.
        this.target = Files.isSymbolicLink(target) && Files.exists(target) ? target.toRealPath() : target;
        // Not Files.createTempFile: it hides the file from everybody else, and models are shared.
        this.temporary = this.target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
        try {
            this.channel = FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        } catch (IOException e) {
            throw failed(e);
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
        }
    }

    /** Deletes the file unless it was moved into place. */
    @Override
    public void close() throws IOException {
        channel.close();
        Files.deleteIfExists(temporary);
    }

    private IOException failed(IOException e) {
        return new IOException("cannot write " + target + ": " + (e.getMessage() == null ? e : e.getMessage()), e);
    }
}
