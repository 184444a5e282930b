package org.panallama.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.DoublePredicate;

/**
 * The hashes of a model, in lower-case hexadecimal. Those of the tensors and of the data are what llama.cpp's
 * {@code gguf-hash} prints, and do not change when the metadata does or when the model is split.
 *
 * @param tensors the hash of each tensor's data, in the order of the model; none for {@link Algorithm#UUID}
 * @param data the hash of all tensors' data, one behind the other
 * @param metadata the hash of all keys and values but those of a split, whatever their order
 * @see GgufManifest
 */
public record GgufHash(Map<String, String> tensors, String data, String metadata) {

    /** Keeps its own copy of the map. */
    public GgufHash {
        tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    }

    /** Which hash, in the order of {@code gguf-hash}'s lines. */
    public enum Algorithm {
        /** XXH64, 64 bits: as fast as memory, against accidents only. */
        XXH64,
        /** SHA-1, 160 bits. */
        SHA1,
        /** SHA-256. */
        SHA256,
        /** A name for the data in databases and the like: RFC 9562's version 5, from SHA-1 in llama.cpp's name space. */
        UUID;

        /** Returns what it is called in those lines, for instance {@code xxh64}. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }

        private MessageDigest digest() {
            return switch (this) {
                case XXH64 -> new XxHash64();
                case SHA256 -> standard("SHA-256");
                case SHA1 -> standard("SHA-1");
                case UUID -> {
                    MessageDigest digest = standard("SHA-1");
                    digest.update(LLAMA_CPP);
                    yield digest;
                }
            };
        }

        private String text(MessageDigest digest) {
            byte[] hash = digest.digest();
            return this == UUID ? uuid(hash) : HexFormat.of().formatHex(hash);
        }
    }

    /** What llama.cpp put in front of the data: the UUID of the name en.wikipedia.org/wiki/Llama.cpp among addresses. */
    private static final byte[] LLAMA_CPP = HexFormat.of().parseHex("ef001206dadc5f6da15f3359e577d4e5");

    private static MessageDigest standard(String name) {
        try {
            return MessageDigest.getInstance(name);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has " + name, e);
        }
    }

    /** RFC 9562, section 5.5. */
    private static String uuid(byte[] sha1) {
        sha1[6] = (byte) (sha1[6] & 0x0F | 0x50);
        sha1[8] = (byte) (sha1[8] & 0x3F | 0x80);
        ByteBuffer bits = ByteBuffer.wrap(sha1);
        return new UUID(bits.getLong(), bits.getLong()).toString();
    }

    /**
     * Computes the hashes, reading the model once.
     *
     * @param progress gets the fraction done, from 0 to 1; {@code false} cancels
     * @throws java.util.concurrent.CancellationException if {@code progress} cancelled
     * @throws IOException if a file cannot be read
     */
    public static GgufHash of(GgufModel model, Algorithm algorithm, DoublePredicate progress) throws IOException {
        return of(model, Set.of(algorithm), progress).get(algorithm);
    }

    /**
     * Computes several kinds of hashes, reading the model once.
     *
     * @param algorithms at least one
     * @param progress gets the fraction done, from 0 to 1; {@code false} cancels
     * @throws IllegalArgumentException if there are no algorithms
     * @throws java.util.concurrent.CancellationException if {@code progress} cancelled
     * @throws IOException if a file cannot be read
     */
    public static Map<Algorithm, GgufHash> of(
            GgufModel model, Collection<Algorithm> algorithms, DoublePredicate progress) throws IOException {
        if (algorithms.isEmpty()) {
            throw new IllegalArgumentException("algorithms is empty, must be at least one");
        }
        Map<Algorithm, ModelDigest> digests = new EnumMap<>(Algorithm.class);
        EnumSet.copyOf(algorithms).forEach(algorithm -> digests.put(algorithm, new ModelDigest(algorithm)));
        Work work = Work.on(model.tensors(), progress);
        for (GgufTensor tensor : model.tensors()) {
            model.file(tensor).readChunks(tensor, Work.CHUNK, chunk -> {
                digests.values().forEach(digest -> digest.update(chunk));
                work.done(chunk.remaining());
            });
            digests.values().forEach(digest -> digest.end(tensor));
        }
        Map<Algorithm, GgufHash> hashes = new EnumMap<>(Algorithm.class);
        digests.forEach((algorithm, digest) -> hashes.put(algorithm, digest.hash(model)));
        return hashes;
    }

    /** One kind of hash of a model that is being read. */
    private static final class ModelDigest {

        private final Algorithm algorithm;
        private final MessageDigest all;
        private final MessageDigest one;
        private final Map<String, String> tensors = new LinkedHashMap<>();

        ModelDigest(Algorithm algorithm) {
            this.algorithm = algorithm;
            this.all = algorithm.digest();
            this.one = algorithm.digest();
        }

        void update(ByteBuffer chunk) {
            all.update(chunk.duplicate());
            if (algorithm != Algorithm.UUID) {
                one.update(chunk.duplicate());
            }
        }

        void end(GgufTensor tensor) {
            if (algorithm != Algorithm.UUID) {
                tensors.put(tensor.name(), algorithm.text(one));
            }
        }

        GgufHash hash(GgufModel model) {
            MessageDigest digest = algorithm.digest();
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
            return new GgufHash(tensors, algorithm.text(all), algorithm.text(digest));
        }
    }
}
