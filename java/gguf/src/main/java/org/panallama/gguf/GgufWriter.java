package org.panallama.gguf;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes a GGUF file of any size: what it holds is declared first, then the tensors' data streams through in the same
 * order.
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
 * <p>The file has a temporary name beside the target until {@link #finish()} moves it into place. Closing a writer
 * before that deletes it. Not for several threads.
 */
public final class GgufWriter implements Closeable {

    private final PendingFile file;
    private final List<GgufTensor> tensors;
    private final int alignment;
    private final Work work;
    private int current;
    private long written; // of the current tensor

    private GgufWriter(PendingFile file, List<GgufTensor> tensors, int alignment, Work work) {
        this.file = file;
        this.tensors = tensors;
        this.alignment = alignment;
        this.work = work;
    }

    /**
     * Begins a file of version 3, little-endian.
     *
     * @param target where it will be; a file there is replaced
     * @param metadata in the order of iteration. {@code general.alignment} is honoured
     * @param tensors whose data will follow, in this order
     * @return a writer at the first tensor
     * @throws IllegalArgumentException if two tensors have the same name, a name is too long, or the alignment is not a
     *     power of two from 8
     * @throws IOException if the file cannot be written
     */
    public static GgufWriter create(Path target, Map<String, GgufValue> metadata, List<GgufTensor> tensors)
            throws IOException {
        return create(target, GgufFormat.CURRENT, metadata, tensors);
    }

    /**
     * Begins a file of another version or byte order, as {@link #create(Path, Map, List)} does.
     *
     * @param format version and byte order; the tensors' data must come in the same order
     */
    public static GgufWriter create(
            Path target, GgufFormat format, Map<String, GgufValue> metadata, List<GgufTensor> tensors)
            throws IOException {
        return create(target, format, metadata, tensors, Work.unwatched());
    }

    static GgufWriter create(
            Path target, GgufFormat format, Map<String, GgufValue> metadata, List<GgufTensor> tensors, Work work)
            throws IOException {
        int alignment = Header.alignment(metadata);
        byte[] header = Header.encode(format, metadata, tensors, Header.offsets(tensors, alignment));
        long bytes =
                header.length + tensors.stream().mapToLong(GgufTensor::bytes).sum();
        GgufWriter writer = new GgufWriter(new PendingFile(target, bytes), List.copyOf(tensors), alignment, work);
        try {
            writer.file.write(ByteBuffer.wrap(header));
            writer.file.pad(alignment);
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
        int length = data.remaining();
        require(length);
        file.write(data);
        advance(length);
    }

    /**
     * Appends the data of another file's tensor to the current one, at the speed of the disk.
     *
     * @param source a file of the same byte order
     * @param tensor one of its tensors
     * @throws IllegalArgumentException if it is more than the current tensor has left
     * @throws IOException if the source cannot be read or the file not be written
     */
    public void write(GgufFile source, GgufTensor tensor) throws IOException {
        require(tensor.bytes());
        source.copy(source.offset(tensor), tensor.bytes(), file, work);
        written += tensor.bytes();
        endTensor();
    }

    private void require(long length) {
        GgufTensor tensor = current();
        long left = tensor == null ? 0 : tensor.bytes() - written;
        if (length > left) {
            throw new IllegalArgumentException(length + " bytes of data for "
                    + (tensor == null ? "no tensor" : "tensor '" + tensor.name() + "'") + ", which has room for "
                    + left);
        }
    }

    private void advance(long length) throws IOException {
        written += length;
        work.done(length);
        endTensor();
    }

    private void endTensor() throws IOException {
        GgufTensor tensor = current();
        if (tensor != null && written == tensor.bytes()) {
            file.pad(alignment);
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
        complete();
        file.moveIntoPlace();
    }

    /** Checks that nothing is missing. */
    void complete() {
        GgufTensor tensor = current();
        if (tensor != null) {
            throw new IllegalStateException(
                    "tensor '" + tensor.name() + "' has " + written + " of its " + tensor.bytes() + " bytes");
        }
    }

    /** Deletes the file unless it is finished. */
    @Override
    public void close() throws IOException {
        file.close();
    }
}
