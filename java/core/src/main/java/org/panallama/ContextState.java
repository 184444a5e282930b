package org.panallama;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;
import org.panallama.internal.AtomicFile;
import org.panallama.internal.Require;
import org.panallama.spi.Binding;

/**
 * Saves what a context remembers, whole or one sequence of it, and restores it into a context of the same model with the same
 * cache types. Tokens may be saved along with it, so that the reader knows what text it is.
 *
 * <p>The format is Panallama's own: a header that names llama.cpp's release and the model, llama.cpp's state, and a checksum,
 * since llama.cpp itself trusts what it is given. Belongs to its context: same thread, same life.
 */
public final class ContextState {

    private static final int NO_SEQUENCE = -1;
    private static final int CHUNK = 1 << 24; // bytes that are copied at a time

    private final Context context;
    private final Binding binding;
    private final Handle handle;

    ContextState(Context context, Binding binding, Handle handle) {
        this.context = context;
        this.binding = binding;
        this.handle = handle;
    }

    /** The state of all sequences. Use {@link #save(Path, int...)} for more than 2 GB. */
    public byte[] toBytes(int... tokens) {
        return toBytes(NO_SEQUENCE, tokens);
    }

    /** The state of one sequence. */
    public byte[] sequenceToBytes(int sequence, int... tokens) {
        return toBytes(checked(sequence), tokens);
    }

    /**
     * Restores all sequences.
     *
     * @return the tokens that were saved along
     * @throws LlamaException if the bytes are damaged, of another model, or do not fit into this context
     */
    public int[] fromBytes(byte[] bytes) {
        return restore(
                Channels.newChannel(new ByteArrayInputStream(bytes)), NO_SEQUENCE, bytes.length, "the bytes given");
    }

    /** Restores one sequence, which may have had another number when it was saved; see {@link #fromBytes(byte[])}. */
    public int[] sequenceFromBytes(int sequence, byte[] bytes) {
        return restore(
                Channels.newChannel(new ByteArrayInputStream(bytes)),
                checked(sequence),
                bytes.length,
                "the bytes given");
    }

    /**
     * Saves the state of all sequences to a file, which appears whole or not at all.
     *
     * @param tokens saved along with it
     * @throws LlamaException if the file cannot be written
     */
    public void save(Path file, int... tokens) {
        saveTo(file, NO_SEQUENCE, tokens);
    }

    /** Saves the state of one sequence, see {@link #save(Path, int...)}. */
    public void saveSequence(Path file, int sequence, int... tokens) {
        saveTo(file, checked(sequence), tokens);
    }

    /**
     * Restores all sequences from a file.
     *
     * @return the tokens that were saved along
     * @throws LlamaException if the file cannot be read, is damaged, of another model, or does not fit into this context
     */
    public int[] restore(Path file) {
        return restoreFrom(file, NO_SEQUENCE);
    }

    /** Restores one sequence, which may have had another number when it was saved; see {@link #restore(Path)}. */
    public int[] restoreSequence(Path file, int sequence) {
        return restoreFrom(file, checked(sequence));
    }

    private int checked(int sequence) {
        return Require.index("sequence", sequence, context.sequences());
    }

    private byte[] toBytes(int sequence, int[] tokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            write(Channels.newChannel(bytes), sequence, tokens);
        } catch (IOException e) {
            throw new LlamaException("Cannot write to memory: " + e.getMessage(), e);
        }
        return bytes.toByteArray();
    }

    private void saveTo(Path file, int sequence, int[] tokens) {
        AtomicFile.write(file, temporary -> {
            try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
                write(channel, sequence, tokens);
                channel.force(true);
            }
        });
    }

    private int[] restoreFrom(Path file, int sequence) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return restore(channel, sequence, channel.size(), file.toString());
        } catch (IOException e) {
            throw new LlamaException("Cannot read the state in " + file + ": " + e, e);
        }
    }

    void write(WritableByteChannel target, int sequence, int[] tokens) throws IOException {
        long address = handle.enter();
        try {
            long room = sequence < 0 ? binding.stateSize(address) : binding.stateSequenceSize(address, sequence, 0);
            long memory = binding.allocate(Math.max(room, 1));
            try {
                long size = sequence < 0
                        ? binding.stateGet(address, memory, room)
                        : binding.stateSequenceGet(address, memory, room, sequence, 0);
                if (size == 0 && room > 0) {
                    throw new LlamaException("llama.cpp cannot save the state of " + context);
                }
                StateHeader header =
                        StateHeader.of(context.model(), sequence >= 0, tokens, size, checksum(tokens, memory, size));
                writeFully(target, header.toBuffer());
                for (long from = 0; from < size; from += CHUNK) {
                    writeFully(target, binding.view(memory + from, (int) Math.min(CHUNK, size - from)));
                }
            } finally {
                binding.free(memory);
            }
        } finally {
            handle.exit();
        }
    }

    int[] restore(ReadableByteChannel source, int sequence, long available, String name) {
        long address = handle.enter();
        try {
            StateHeader header = StateHeader.read(source, available, name);
            header.check(context.model(), sequence >= 0, name);
            long size = header.size();
            long memory = binding.allocate(Math.max(size, 1));
            try {
                for (long from = 0; from < size; from += CHUNK) {
                    StateHeader.readFully(
                            source, binding.view(memory + from, (int) Math.min(CHUNK, size - from)), name);
                }
                if (checksum(header.tokens(), memory, size) != header.checksum()) {
                    throw new LlamaException("The state in " + name + " is damaged: its checksum is wrong");
                }
                context.transcript().forget();
                long read = context.decoder()
                        .quietly(() -> sequence < 0
                                ? binding.stateSet(address, memory, size)
                                : binding.stateSequenceSet(address, memory, size, sequence, 0));
                if (read != size) {
                    throw new LlamaException(
                            "The state in " + name + " does not fit into this context: it was saved from a"
                                    + " longer one, or from one with other cache types or another number of sequences");
                }
                return header.tokens();
            } finally {
                binding.free(memory);
            }
        } catch (IOException e) {
            throw new LlamaException("Cannot read the state in " + name + ": " + e, e);
        } finally {
            handle.exit();
        }
    }

    private long checksum(int[] tokens, long memory, long size) {
        CRC32C crc = new CRC32C();
        crc.update(StateHeader.tokenBytes(tokens));
        for (long from = 0; from < size; from += CHUNK) {
            crc.update(binding.view(memory + from, (int) Math.min(CHUNK, size - from)));
        }
        return crc.getValue();
    }

    private static void writeFully(WritableByteChannel target, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            target.write(bytes);
        }
    }
}
