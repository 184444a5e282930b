package org.panallama.internal;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;

/** Little-endian primitives from the front of a file. */
final class GgufInput {
    private static final int CHUNK = 1 << 16;

    private final FileChannel channel;
    private final long size;
    private final ByteBuffer buffer;
    private long filled;

    GgufInput(FileChannel channel) throws IOException {
        this.channel = channel;
        this.size = channel.size();
        this.buffer = ByteBuffer.allocate((int) Math.max(Long.BYTES, Math.min(CHUNK, size)))
                .order(ByteOrder.LITTLE_ENDIAN);
        buffer.limit(0);
    }

    /** Returns the size of the file when reading began. */
    long size() {
        return size;
    }

    /** Returns the position of the next byte. */
    long position() {
        return filled - buffer.remaining();
    }

    /** Returns how many bytes the file still holds. */
    long remaining() {
        return size - position();
    }

    /** Goes to a position in the file. */
    void position(long target) {
        long from = filled - buffer.limit();
        if (target >= from && target <= filled) {
            buffer.position((int) (target - from));
        } else {
            filled = target;
            buffer.limit(0);
        }
    }

    int readInt() throws IOException {
        return ensure(4).getInt();
    }

    long readLong() throws IOException {
        return ensure(8).getLong();
    }

    /** Fills part of an array. */
    void readFully(byte[] target, int offset, int length) throws IOException {
        int done = 0;
        while (done < length) {
            int n = Math.min(length - done, ensure(1).remaining());
            buffer.get(target, offset + done, n);
            done += n;
        }
    }

    private ByteBuffer ensure(int bytes) throws IOException {
        if (buffer.remaining() < bytes) {
            buffer.compact();
            while (buffer.position() < bytes) {
                int n = channel.read(buffer, filled);
                if (n < 0) {
                    throw new EOFException();
                }
                filled += n;
            }
            buffer.flip();
        }
        return buffer;
    }
}
