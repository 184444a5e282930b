package org.panallama.gguf;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Writes a GGUF file of version 3, of any size: what it holds is declared first, then the tensors' data streams through in
 * the same order.
 *
 * <pre>{@code
 * try (GgufWriter writer = GgufWriter.create(target, metadata, tensors)) {
 *     for (GgufTensor tensor : tensors) {
 *         writer.write(dataOf(tensor)); // in one piece or several
 *     }
 *     writer.finish();
 * }
 * }</pre>
 *
 * <p>The file has a temporary name beside the target until {@link #finish()} moves it into place. Closing a writer before
 * that deletes it. Not for several threads.
 */
public final class GgufWriter implements Closeable {

    private static final int VERSION = 3;
    private static final int DEFAULT_ALIGNMENT = 32;
    private static final int MAX_NAME_BYTES = 63;
    private static final String ALIGNMENT_KEY = "general.alignment";

    private final Path target;
    private final Path temporary;
    private final FileChannel channel;
    private final List<GgufTensor> tensors;
    private final int alignment;
    private int current;
    private long written; // of the current tensor

    private GgufWriter(Path target, Path temporary, FileChannel channel, List<GgufTensor> tensors, int alignment) {
        this.target = target;
        this.temporary = temporary;
        this.channel = channel;
        this.tensors = tensors;
        this.alignment = alignment;
    }

    /**
     * Begins a file.
     *
     * @param target where it will be; a file there is replaced
     * @param metadata in the order of iteration. {@code general.alignment} is honoured
     * @param tensors whose data will follow, in this order
     * @return a writer at the first tensor
     * @throws IllegalArgumentException if two tensors have the same name, a name is too long, or the alignment is not a power
     *     of two from 8
     * @throws IOException if the file cannot be written
     */
    public static GgufWriter create(Path target, Map<String, GgufValue> metadata, List<GgufTensor> tensors)
            throws IOException {
        int alignment = alignment(metadata.get(ALIGNMENT_KEY));
        byte[] header = header(metadata, tensors, alignment);
        // Not Files.createTempFile: it hides the file from everybody else, and models are shared.
        Path temporary = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
        FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        GgufWriter writer = new GgufWriter(target, temporary, channel, List.copyOf(tensors), alignment);
        try {
            writer.writeFully(ByteBuffer.wrap(header));
            writer.pad();
        } catch (IOException e) {
            writer.close();
            throw e;
        }
        return writer;
    }

    /** The tensor that the next data belongs to, or null when all are complete. */
    public @Nullable GgufTensor current() {
        return current < tensors.size() ? tensors.get(current) : null;
    }

    /**
     * Appends data to the current tensor; when it is complete, the next one becomes current.
     *
     * @param data all that remains in it is written
     * @throws IllegalArgumentException if it is more than the tensor has left
     * @throws IOException if the file cannot be written
     */
    public void write(ByteBuffer data) throws IOException {
        GgufTensor tensor = current();
        long left = tensor == null ? 0 : tensor.bytes() - written;
        if (data.remaining() > left) {
            throw new IllegalArgumentException(data.remaining() + " bytes of data for "
                    + (tensor == null ? "no tensor" : "tensor '" + tensor.name() + "'") + ", which has room for "
                    + left);
        }
        written += data.remaining();
        writeFully(data);
        if (tensor != null && written == tensor.bytes()) {
            pad();
            current++;
            written = 0;
        }
    }

    /**
     * Completes the file and moves it into place.
     *
     * @throws IllegalStateException if data of a tensor is missing
     * @throws IOException if the file cannot be written or moved
     */
    public void finish() throws IOException {
        GgufTensor tensor = current();
        if (tensor != null) {
            throw new IllegalStateException(
                    "tensor '" + tensor.name() + "' has " + written + " of its " + tensor.bytes() + " bytes");
        }
        channel.close();
        try {
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Deletes the file unless it is finished. */
    @Override
    public void close() throws IOException {
        channel.close();
        Files.deleteIfExists(temporary);
    }

    private void pad() throws IOException {
        writeFully(ByteBuffer.allocate((int) (-channel.position() & (alignment - 1))));
    }

    private void writeFully(ByteBuffer data) throws IOException {
        while (data.hasRemaining()) {
            channel.write(data);
        }
    }

    private static int alignment(@Nullable GgufValue value) {
        if (value == null) {
            return DEFAULT_ALIGNMENT;
        }
        int alignment = value.type() == GgufType.UINT32
                ? value.encoded().order(ByteOrder.LITTLE_ENDIAN).getInt()
                : 0;
        if (alignment < Long.BYTES || Integer.bitCount(alignment) != 1) {
            throw new IllegalArgumentException(ALIGNMENT_KEY + " is " + alignment + " (" + value.type()
                    + "), must be a UINT32 power of two from 8");
        }
        return alignment;
    }

    private static byte[] header(Map<String, GgufValue> metadata, List<GgufTensor> tensors, int alignment) {
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        header.writeBytes(new byte[] {'G', 'G', 'U', 'F'});
        header.writeBytes(little(Integer.BYTES + 2 * Long.BYTES)
                .putInt(VERSION)
                .putLong(tensors.size())
                .putLong(metadata.size())
                .array());
        metadata.forEach((key, value) -> {
            header.writeBytes(text(key));
            header.writeBytes(
                    little(Integer.BYTES).putInt(value.type().ordinal()).array());
            ByteBuffer encoded = value.encoded();
            byte[] bytes = new byte[encoded.remaining()];
            encoded.get(bytes);
            header.writeBytes(bytes);
        });
        Set<String> names = new HashSet<>();
        long offset = 0;
        for (GgufTensor tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new IllegalArgumentException("two tensors have the name '" + tensor.name() + "'");
            }
            header.writeBytes(line(tensor, offset));
            offset = (offset + tensor.bytes() + alignment - 1) & -alignment;
        }
        return header.toByteArray();
    }

    private static byte[] line(GgufTensor tensor, long offset) {
        byte[] name = text(tensor.name());
        if (name.length - Long.BYTES > MAX_NAME_BYTES) {
            throw new IllegalArgumentException("the tensor name '" + tensor.name() + "' has more than 63 bytes");
        }
        int dimensions = tensor.shape().size();
        ByteBuffer line = little(name.length + 2 * Integer.BYTES + (dimensions + 1) * Long.BYTES);
        line.put(name).putInt(dimensions);
        tensor.shape().forEach(line::putLong);
        return line.putInt(tensor.type()).putLong(offset).array();
    }

    private static byte[] text(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return little(Long.BYTES + utf8.length).putLong(utf8.length).put(utf8).array();
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
