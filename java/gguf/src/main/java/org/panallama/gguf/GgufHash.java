package org.panallama.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoublePredicate;

/**
 * The hashes of a model, in lower-case hexadecimal. Those of the tensors and of the data are what llama.cpp's
 * {@code gguf-hash} prints, and do not change when the metadata does or when the model is split.
 *
 * @param tensors the hash of each tensor's data, in the order of the model
 * @param data the hash of all tensors' data, one behind the other
 * @param metadata the hash of all keys and values but those of a split, whatever their order
 */
public record GgufHash(Map<String, String> tensors, String data, String metadata) {

    /** Keeps its own copy of the map. */
    public GgufHash {
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    }

    /** Which hash. */
    public enum Algorithm {
        /** SHA-1, 160 bits. */
        SHA1("SHA-1"),
        /** SHA-256. */
        SHA256("SHA-256");

        private final String name;

        Algorithm(String name) {
            this.name = name;
        }

        private MessageDigest digest() {
            try {
                return MessageDigest.getInstance(name);
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every Java platform has " + name, e);
            }
        }
    }

    /**
     * Computes the hashes, reading the model once.
     *
     * @param progress gets the fraction done, from 0 to 1; {@code false} cancels
     * @throws java.util.concurrent.CancellationException if {@code progress} cancelled
     * @throws IOException if a file cannot be read
     */
    public static GgufHash of(GgufModel model, Algorithm algorithm, DoublePredicate progress) throws IOException {
        Work work = Work.on(model.tensors(), progress);
        Map<String, String> tensors = new LinkedHashMap<>();
        MessageDigest all = algorithm.digest();
        for (GgufTensor tensor : model.tensors()) {
            MessageDigest one = algorithm.digest();
            model.file(tensor).readChunks(tensor, Work.CHUNK, chunk -> {
                one.update(chunk.duplicate());
                all.update(chunk.duplicate());
                work.done(chunk.remaining());
            });
            tensors.put(tensor.name(), hex(one));
        }
        return new GgufHash(tensors, hex(all), metadata(model, algorithm.digest()));
    }

    private static String metadata(GgufModel model, MessageDigest digest) {
        new TreeMap<>(model.metadata()).forEach((key, value) -> {
            byte[] name = key.getBytes(StandardCharsets.UTF_8);
            digest.update(ByteBuffer.allocate(2 * Integer.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(name.length)
                    .putInt(value.type().ordinal())
                    .flip());
            digest.update(name);
            digest.update(value.encoded());
        });
        return hex(digest);
    }

    private static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }
}
