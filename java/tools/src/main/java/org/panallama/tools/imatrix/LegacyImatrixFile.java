package org.panallama.tools.imatrix;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.panallama.LlamaException;

/**
 * The format of importance matrices before GGUF, in which many were published: little-endian 32-bit numbers without a header.
 *
 * <p>The count of tensors; for each of them the length of its name, the name, how often it was computed, the count of its
 * values, and the values times that number; then, optionally, the count of chunks, and the length and the name of the text.
 */
final class LegacyImatrixFile {

    private static final int MAX_NAME_BYTES = 1024;
    private static final int MAX_TENSORS = 1 << 16;

    private final Path file;
    private final FileChannel channel;
    private final long size;
    private long position;

    private LegacyImatrixFile(Path file, FileChannel channel) throws IOException {
        this.file = file;
        this.channel = channel;
        this.size = channel.size();
    }

    static Imatrix read(Path file, FileChannel channel) throws IOException {
        return new LegacyImatrixFile(file, channel).read();
    }

    private Imatrix read() throws IOException {
        int count = integer();
        if (count < 1 || count > MAX_TENSORS) {
            throw noMatrix();
        }
        Map<String, TensorActivations> tensors = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            String name = text();
            int calls = integer();
            ByteBuffer values = bytes((long) integer() * Float.BYTES);
            float[] sums = new float[values.remaining() / Float.BYTES];
            values.asFloatBuffer().get(sums);
            ImatrixFile.checkSums(file, name, sums);
            if (calls < 0 || sums.length == 0 || name.isEmpty() || name.indexOf(0) >= 0) {
                throw noMatrix();
            }
            tensors.put(name, new TensorActivations(sums, new long[] {Math.max(1, calls)}));
        }
        if (position == size) {
            return new Imatrix(tensors, List.of(), 0, 0, null);
        }
        int chunks = Math.max(0, integer());
        return new Imatrix(tensors, position == size ? List.of() : List.of(text()), chunks, 0, null);
    }

    private String text() throws IOException {
        int length = integer();
        if (length < 0 || length > MAX_NAME_BYTES) {
            throw noMatrix();
        }
        return StandardCharsets.UTF_8.decode(bytes(length)).toString();
    }

    private int integer() throws IOException {
        return bytes(Integer.BYTES).getInt();
    }

    private ByteBuffer bytes(long count) throws IOException {
        if (count < 0 || count > size - position || count > Integer.MAX_VALUE) {
            throw noMatrix();
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) count).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes, position + bytes.position()) < 0) {
                throw noMatrix();
            }
        }
        position += count;
        return bytes.flip();
    }

    private LlamaException noMatrix() {
        return ImatrixFile.damaged(
                file, "it is neither GGUF nor a whole file of the older format, at byte " + position);
    }
}
