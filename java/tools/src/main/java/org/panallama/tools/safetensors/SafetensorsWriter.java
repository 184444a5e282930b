package org.panallama.tools.safetensors;

import com.google.gson.stream.JsonWriter;
import java.io.Closeable;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.panallama.gguf.internal.TemporaryNames;
import org.panallama.gguf.internal.WriteFailure;

/**
 * Writes a safetensors file of any size: what it holds is declared first, then the tensors' data stream through in the same
 * order.
 *
 * <pre>{@code
 * try (SafetensorsWriter writer = SafetensorsWriter.create(target, Map.of("format", "pt"), entries)) {
 *     for (SafetensorsEntry entry : entries) {
 *         writer.write(dataOf(entry)); // in one piece or several
 *     }
 *     writer.finish();
 * }
 * }</pre>
 *
 * <p>The file has a temporary name beside the target until {@link #finish()} moves it into place. Closing a writer before
 * that deletes it. Not for several threads.
 */
public final class SafetensorsWriter implements Closeable {

    private final Path target;
    private final Path temporary;
    private final FileChannel channel;
    private final List<SafetensorsEntry> entries;
    private int current;
    private long written; // of the current tensor

    private SafetensorsWriter(Path target, Path temporary, FileChannel channel, List<SafetensorsEntry> entries) {
        this.target = target;
        this.temporary = temporary;
        this.channel = channel;
        this.entries = entries;
    }

    /**
     * Begins a file.
     *
     * @param target where it will be; a file there is replaced
     * @param metadata for instance {@code format: pt}, without which Transformers does not load it
     * @param entries the tensors, whose data will follow in this order
     * @throws IllegalArgumentException if two tensors have the same name, or one is named {@code __metadata__}
     * @throws IOException if the file cannot be written
     */
    public static SafetensorsWriter create(Path target, Map<String, String> metadata, List<SafetensorsEntry> entries)
            throws IOException {
        byte[] header = header(metadata, entries);
        // Not Files.createTempFile: it hides the file from everybody else, and models are shared.
        Path temporary = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
        FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        SafetensorsWriter writer = new SafetensorsWriter(target, temporary, channel, List.copyOf(entries));
        try {
            writer.writeFully(ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(header.length)
                    .flip());
            writer.writeFully(ByteBuffer.wrap(header));
            writer.skipEmpty();
        } catch (IOException e) {
            writer.close();
            throw e;
        }
        return writer;
    }

    /** The tensor that the next data belongs to, or null when all are complete. */
    public @Nullable SafetensorsEntry current() {
        return current < entries.size() ? entries.get(current) : null;
    }

    /**
     * Appends data to the current tensor; when it is complete, the next one becomes current.
     *
     * @param data all that remains in it is written
     * @throws IllegalArgumentException if it is more than the tensor has left
     * @throws IOException if the file cannot be written
     */
    public void write(ByteBuffer data) throws IOException {
        SafetensorsEntry entry = current();
        long left = entry == null ? 0 : entry.bytes() - written;
        if (data.remaining() > left) {
            throw new IllegalArgumentException(data.remaining() + " bytes of data for "
                    + (entry == null ? "no tensor" : "tensor '" + entry.name() + "'") + ", which has room for " + left);
        }
        written += data.remaining();
        writeFully(data);
        if (entry != null && written == entry.bytes()) {
            current++;
            written = 0;
            skipEmpty();
        }
    }

    /**
     * Completes the file and moves it into place.
     *
     * @throws IllegalStateException if data of a tensor is missing
     * @throws IOException if the file cannot be written or moved
     */
    public void finish() throws IOException {
        SafetensorsEntry entry = current();
        if (entry != null) {
            throw new IllegalStateException(
                    "tensor '" + entry.name() + "' has " + written + " of its " + entry.bytes() + " bytes");
        }
        channel.close();
        TemporaryNames.move(temporary, target);
    }

    /** Deletes the file unless it is finished. */
    @Override
    public void close() throws IOException {
        channel.close();
        Files.deleteIfExists(temporary);
    }

    private void skipEmpty() {
        while (current < entries.size() && entries.get(current).bytes() == 0) {
            current++;
        }
    }

    private void writeFully(ByteBuffer data) throws IOException {
        try {
            while (data.hasRemaining()) {
                channel.write(data);
            }
        } catch (IOException e) {
            throw WriteFailure.of(target, e);
        }
    }

    private static byte[] header(Map<String, String> metadata, List<SafetensorsEntry> entries) throws IOException {
        StringWriter text = new StringWriter();
        try (JsonWriter json = new JsonWriter(text)) {
            json.beginObject();
            if (!metadata.isEmpty()) {
                json.name(SafetensorsFile.METADATA).beginObject();
                for (Map.Entry<String, String> entry : metadata.entrySet()) {
                    json.name(entry.getKey()).value(entry.getValue());
                }
                json.endObject();
            }
            long offset = 0;
            Set<String> names = new HashSet<>(Set.of(SafetensorsFile.METADATA));
            for (SafetensorsEntry entry : entries) {
                if (!names.add(entry.name())) {
                    throw new IllegalArgumentException("the tensor name '" + entry.name() + "' is taken already");
                }
                writeEntry(json, entry, offset);
                offset = Math.addExact(offset, entry.bytes());
            }
            json.endObject();
        }
        // The data are aligned by blanks behind the header.
        text.append(" ".repeat(-text.toString().getBytes(StandardCharsets.UTF_8).length & (Long.BYTES - 1)));
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void writeEntry(JsonWriter json, SafetensorsEntry entry, long offset) throws IOException {
        json.name(entry.name()).beginObject();
        json.name("dtype").value(entry.type().name());
        json.name("shape").beginArray();
        for (long dimension : entry.shape()) {
            json.value(dimension);
        }
        json.endArray();
        json.name("data_offsets").beginArray();
        json.value(offset).value(offset + entry.bytes());
        json.endArray().endObject();
    }
}
