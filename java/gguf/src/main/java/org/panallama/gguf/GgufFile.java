package org.panallama.gguf;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.channels.WritableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * A GGUF file of version 2 or 3, of any size and either byte order: its metadata and list of tensors in memory, its
 * tensor data on disk until asked for.
 *
 * <pre>{@code
 * GgufFile file = GgufFile.open(Path.of("model.gguf"));
 * String architecture = file.string("general.architecture").orElseThrow();
 * for (GgufTensor tensor : file.tensors()) {
 *     file.transferTo(tensor, channel);
 * }
 * }</pre>
 *
 * <p>Immutable, safe for several threads, and nothing to close: the file is opened anew by each method that reads data,
 * which throws if the file was cut short since. The file must not change otherwise.
 *
 * <p>A file that is damaged, or made to do harm, costs no more memory than a small multiple of the bytes that it really
 * has. Texts and arrays take what they take in the file, and 256 MiB together at most; keys and tensors of the fewest
 * bytes take some ten times theirs, and while the file is opened some twenty times.
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">the GGUF specification</a>
 */
public final class GgufFile {

    private final Path path;
    private final long size;
    private final int version;
    private final ByteOrder order;
    private final int alignment;
    private final long headerEnd;
    private final long dataOffset;
    private final Map<String, GgufValue> metadata;
    private final List<GgufTensor> tensors;
    private final Map<String, TensorRules.Placed> byName = new LinkedHashMap<>();

    GgufFile(Path path, HeaderReader header, List<TensorRules.Placed> placed) {
        this.path = path;
        this.size = header.size();
        this.version = header.version();
        this.order = header.order();
        this.alignment = header.alignment();
        this.headerEnd = header.end();
        this.dataOffset = header.dataOffset();
        this.metadata = Collections.unmodifiableMap(new LinkedHashMap<>(header.metadata()));
        this.tensors = placed.stream().map(TensorRules.Placed::tensor).toList();
        placed.forEach(p -> byName.put(p.tensor().name(), p));
    }

    /**
     * Reads everything in front of the tensor data, and checks that the data is there. Files that llama.cpp would
     * refuse for its own reasons are read all the same; {@link GgufValidator} tells.
     *
     * @param path a readable file
     * @throws GgufException if the file is damaged or no GGUF; the message says what is wrong at which byte
     * @throws IOException if the file cannot be read
     */
    public static GgufFile open(Path path) throws IOException {
        Findings findings = Findings.strict(path);
        try (FileChannel channel = openForReading(path)) {
            HeaderReader header = new HeaderReader(channel, findings);
            header.read();
            return new GgufFile(path, header, new TensorRules(header, findings).check());
        }
    }

    /** Returns the file's path. */
    public Path path() {
        return path;
    }

    /** Returns the file's size in bytes when it was opened. */
    public long size() {
        return size;
    }

    /** Returns the GGUF version, 2 or 3. */
    public int version() {
        return version;
    }

    /** Returns version and byte order. */
    public GgufFormat format() {
        return new GgufFormat(version, order);
    }

    /** Returns the order of the bytes in all numbers of the file, tensor data included. */
    public ByteOrder order() {
        return order;
    }

    /** Returns the alignment of tensor data in bytes, a power of two. */
    public int alignment() {
        return alignment;
    }

    /** Returns where the data section begins, in bytes from the start of the file. */
    public long dataOffset() {
        return dataOffset;
    }

    /** Returns where the header ends, and the padding in front of the data section begins. */
    long headerEnd() {
        return headerEnd;
    }

    /** Returns the bytes in front of the data section and its padding. */
    byte[] header() throws IOException {
        ByteBuffer header = ByteBuffer.allocate(Math.toIntExact(headerEnd));
        try (FileChannel channel = openData(0, headerEnd)) {
            readFully(channel, 0, header);
        }
        return header.array();
    }

    /** Returns the metadata, unmodifiable and in the order of the file. */
    public Map<String, GgufValue> metadata() {
        return metadata;
    }

    /** Returns the tensors, in the order of the file's list. */
    public List<GgufTensor> tensors() {
        return tensors;
    }

    /** Returns the tensor with a name. */
    public Optional<GgufTensor> tensor(String name) {
        return Optional.ofNullable(byName.get(name)).map(TensorRules.Placed::tensor);
    }

    /** Returns the value of a key that is a scalar text. */
    public Optional<String> string(String key) {
        GgufValue value = metadata.get(key);
        return value != null && value.type() == GgufType.STRING ? Optional.of(value.string()) : Optional.empty();
    }

    /** Returns the value of a key that is a scalar integer of any width. */
    public OptionalLong integer(String key) {
        GgufValue value = metadata.get(key);
        return value != null && value.type().isInteger() ? OptionalLong.of(value.integer()) : OptionalLong.empty();
    }

    /** Returns the value of a key that is a scalar number, integers included. */
    public OptionalDouble number(String key) {
        GgufValue value = metadata.get(key);
        return value != null && value.type().isNumber() ? OptionalDouble.of(value.number()) : OptionalDouble.empty();
    }

    /** Returns the value of a key that is a scalar truth value. */
    public Optional<Boolean> bool(String key) {
        GgufValue value = metadata.get(key);
        return value != null && value.type() == GgufType.BOOL ? Optional.of(value.bool()) : Optional.empty();
    }

    /**
     * Returns where a tensor's data begins, in bytes from the start of the file.
     *
     * @param tensor one of {@link #tensors()}
     * @throws IllegalArgumentException if it is none of this file's tensors
     */
    public long offset(GgufTensor tensor) {
        TensorRules.Placed placed = byName.get(tensor.name());
        if (placed == null || !placed.tensor().equals(tensor)) {
            throw new IllegalArgumentException(path + " has no " + tensor);
        }
        return dataOffset + placed.offset();
    }

    /**
     * Maps a tensor's data into memory. The mapping is read-only, in the file's byte order, and goes when the buffer is
     * garbage; on Windows the file cannot be deleted or replaced until then.
     *
     * @param tensor one of {@link #tensors()}
     * @throws IllegalArgumentException if it is larger than a buffer can be; map it in windows then
     * @throws IOException if the file cannot be mapped
     */
    public ByteBuffer map(GgufTensor tensor) throws IOException {
        if (tensor.bytes() > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("tensor '" + tensor.name() + "' has " + tensor.bytes()
                    + " bytes, a buffer holds at most " + Integer.MAX_VALUE + "; map it in windows");
        }
        return map(tensor, 0, (int) tensor.bytes());
    }

    /**
     * Maps a window of a tensor's data into memory, as {@link #map(GgufTensor)} does the whole.
     *
     * @param tensor one of {@link #tensors()}
     * @param from first byte, from the start of the tensor's data
     * @param length number of bytes
     * @throws IndexOutOfBoundsException if the window reaches beyond the tensor
     * @throws IOException if the file cannot be mapped
     */
    public ByteBuffer map(GgufTensor tensor, long from, int length) throws IOException {
        long start = window(tensor, from, length);
        try (FileChannel channel = openData(start, length)) {
            return channel.map(MapMode.READ_ONLY, start, length).order(order);
        }
    }

    /**
     * Reads a part of a tensor's data.
     *
     * @param tensor one of {@link #tensors()}
     * @param from first byte, from the start of the tensor's data
     * @param target filled to its limit
     * @throws IndexOutOfBoundsException if more is wanted than the tensor has from there
     * @throws IOException if the file cannot be read
     */
    public void read(GgufTensor tensor, long from, ByteBuffer target) throws IOException {
        long start = window(tensor, from, target.remaining());
        try (FileChannel channel = openData(start, target.remaining())) {
            readFully(channel, start, target);
        }
    }

    /**
     * Reads a tensor's data piece by piece through one buffer.
     *
     * @param tensor one of {@link #tensors()}
     * @param chunkBytes size of the pieces, the last excepted
     * @param reader gets them in order, in the file's byte order; valid only during the call
     * @throws IllegalArgumentException if {@code chunkBytes} is less than 1
     * @throws IOException if the file cannot be read, or the reader throws it
     */
    public void readChunks(GgufTensor tensor, int chunkBytes, ChunkReader reader) throws IOException {
        if (chunkBytes < 1) {
            throw new IllegalArgumentException("chunkBytes is " + chunkBytes + ", must be at least 1");
        }
        long start = offset(tensor);
        ByteBuffer chunk = ByteBuffer.allocateDirect((int) Math.min(chunkBytes, tensor.bytes()));
        try (FileChannel channel = openData(start, tensor.bytes())) {
            for (long done = 0; done < tensor.bytes(); done += chunk.limit()) {
                chunk.clear().limit((int) Math.min(chunk.capacity(), tensor.bytes() - done));
                readFully(channel, start + done, chunk);
                reader.read(chunk.flip().slice().order(order));
            }
        }
    }

    /** Gets a piece of a tensor's data. */
    @FunctionalInterface
    public interface ChunkReader {
        /**
         * Called for each piece.
         *
         * @param chunk the piece, from its position to its limit
         * @throws IOException to stop reading
         */
        void read(ByteBuffer chunk) throws IOException;
    }

    /**
     * Writes a tensor's data to a channel, without taking it through the heap where the system can.
     *
     * @param tensor one of {@link #tensors()}
     * @param target a blocking channel
     * @throws IOException if the file cannot be read or the channel not be written
     */
    public void transferTo(GgufTensor tensor, WritableByteChannel target) throws IOException {
        long start = offset(tensor);
        try (FileChannel channel = openData(start, tensor.bytes())) {
            for (long done = 0; done < tensor.bytes(); ) {
                long n = channel.transferTo(start + done, tensor.bytes() - done, target);
                if (n <= 0) {
                    throw cutShort(channel);
                }
                done += n;
            }
        }
    }

    /** Appends some of this file's bytes to another file. */
    void copy(long from, long count, PendingFile target, Work work) throws IOException {
        try (FileChannel channel = openData(from, count)) {
            for (long done = 0; done < count; ) {
                long n = Math.min(Work.PIECE, count - done);
                target.append(channel, from + done, n);
                done += n;
                work.done(n);
            }
        }
    }

    private long window(GgufTensor tensor, long from, int length) {
        long start = offset(tensor);
        if (from < 0 || length < 0 || from > tensor.bytes() - length) {
            throw new IndexOutOfBoundsException("bytes " + from + " to " + (from + length) + " of tensor '"
                    + tensor.name() + "', which has " + tensor.bytes());
        }
        return start + from;
    }

    /** Opens a file; the messages of the JDK consist of its name only. */
    static FileChannel openForReading(Path path) throws IOException {
        try {
            if (Files.isDirectory(path)) {
                throw new FileSystemException(path.toString(), null, "is a directory; name the .gguf file in it");
            }
            return FileChannel.open(path, StandardOpenOption.READ);
        } catch (NoSuchFileException e) {
            throw new NoSuchFileException(path.toString(), null, "no such file");
        } catch (AccessDeniedException e) {
            throw new AccessDeniedException(path.toString(), null, "may not be read; check its permissions");
        }
    }

    private FileChannel openData(long start, long length) throws IOException {
        FileChannel channel = openForReading(path);
        if (channel.size() - length < start) {
            try (channel) {
                throw cutShort(channel);
            }
        }
        return channel;
    }

    private void readFully(FileChannel channel, long position, ByteBuffer target) throws IOException {
        int begin = target.position();
        while (target.hasRemaining()) {
            if (channel.read(target, position + target.position() - begin) < 0) {
                throw cutShort(channel);
            }
        }
    }

    private EOFException cutShort(FileChannel channel) throws IOException {
        return new EOFException(
                path + ": the file had " + size + " bytes when it was opened, now it has " + channel.size());
    }

    /** Returns path, version and what the file holds. */
    @Override
    public String toString() {
        return path + " (GGUF " + version + ", " + metadata.size() + " metadata keys, " + tensors.size() + " tensors)";
    }
}
