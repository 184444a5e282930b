package org.panallama;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ReadableByteChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * What precedes llama.cpp's bytes in a saved state. Little-endian: magic (8 bytes), fingerprint of llama.cpp's release and the
 * model (32 bytes), kind (4: 0 whole, 1 sequence), token count (4), size (8), checksum (8), tokens (4 each).
 *
 * @param size bytes of llama.cpp's state
 * @param checksum CRC-32C of the tokens and those bytes
 */
record StateHeader(byte[] fingerprint, boolean sequence, int[] tokens, long size, long checksum) {

    private static final long MAGIC = 0x31455441545350L; // "PSTATE1" and a zero
    private static final int FINGERPRINT = 32;
    private static final int FIXED = Long.BYTES + FINGERPRINT + 2 * Integer.BYTES + 2 * Long.BYTES;

    static StateHeader of(Model model, boolean sequence, int[] tokens, long size, long checksum) {
        return new StateHeader(fingerprint(model), sequence, tokens.clone(), size, checksum);
    }

    ByteBuffer toBuffer() {
        ByteBuffer buffer = little(FIXED + tokens.length * Integer.BYTES);
        buffer.putLong(MAGIC).put(fingerprint).putInt(sequence ? 1 : 0).putInt(tokens.length);
        buffer.putLong(size).putLong(checksum).put(tokenBytes(tokens));
        return buffer.flip();
    }

    static ByteBuffer tokenBytes(int[] tokens) {
        ByteBuffer buffer = little(tokens.length * Integer.BYTES);
        for (int token : tokens) {
            buffer.putInt(token);
        }
        return buffer.flip();
    }

    /** @param available bytes that the source has at most, so that a damaged length is not believed */
    static StateHeader read(ReadableByteChannel source, long available, String name) throws IOException {
        ByteBuffer buffer = little(FIXED);
        readFully(source, buffer, name);
        buffer.flip();
        if (buffer.getLong() != MAGIC) {
            throw new LlamaException(name + " is no saved state of Panallama");
        }
        byte[] fingerprint = new byte[FINGERPRINT];
        buffer.get(fingerprint);
        int kind = buffer.getInt();
        int count = buffer.getInt();
        long size = buffer.getLong();
        long checksum = buffer.getLong();
        if (kind < 0 || kind > 1) {
            throw new LlamaException("The state in " + name + " is damaged: its header has kind " + kind);
        }
        if (count < 0 || size < 0 || FIXED + (long) count * Integer.BYTES > available - size) {
            throw new LlamaException(
                    "The state in " + name + " is cut off or damaged: its header states more than there is");
        }
        ByteBuffer ids = little(count * Integer.BYTES);
        readFully(source, ids, name);
        int[] tokens = new int[count];
        ids.flip().order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().get(tokens);
        return new StateHeader(fingerprint, kind == 1, tokens, size, checksum);
    }

    void check(Model model, boolean wantsSequence, String name) {
        if (!Arrays.equals(fingerprint, fingerprint(model))) {
            throw new LlamaException("The state in " + name + " was saved with another model than " + model
                    + ", or another release of llama.cpp than " + Llama.version());
        }
        if (sequence != wantsSequence) {
            throw new LlamaException("The state in " + name + " is of "
                    + (sequence ? "one sequence: use restoreSequence()" : "a whole context: use restore()"));
        }
    }

    static void readFully(ReadableByteChannel source, ByteBuffer target, String name) throws IOException {
        while (target.hasRemaining()) {
            if (source.read(target) < 0) {
                throw new LlamaException("The state in " + name + " is cut off");
            }
        }
    }

    private static byte[] fingerprint(Model model) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(Llama.version().getBytes(StandardCharsets.UTF_8));
            for (Map.Entry<String, String> entry : new TreeMap<>(model.metadata()).entrySet()) {
                digest.update((entry.getKey() + '\0' + entry.getValue() + '\0').getBytes(StandardCharsets.UTF_8));
            }
            return digest.digest((model.sizeBytes() + ":" + model.parameterCount()).getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
