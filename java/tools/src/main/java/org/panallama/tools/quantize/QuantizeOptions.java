package org.panallama.tools.quantize;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.panallama.TensorType;
import org.panallama.spi.MetadataParam;
import org.panallama.tools.imatrix.Imatrix;
import org.panallama.tools.imatrix.UnseenExperts;

/** How a model is quantized. Immutable. */
public final class QuantizeOptions {

    /**
     * A format for the tensors with matching names.
     *
     * @param pattern a regular expression of ECMAScript; a name matches if it has a part that does
     * @param type the format
     */
    public record TensorOverride(String pattern, TensorType type) {}

    final FileType fileType;
    final int threads;
    final @Nullable TensorType outputType;
    final @Nullable TensorType embeddingType;
    final List<TensorOverride> overrides;
    final @Nullable Imatrix imatrix;
    final String imatrixName;
    final UnseenExperts unseenExperts;
    final boolean allowRequantize;
    final boolean leaveOutput;
    final boolean pure;
    final boolean keepSplit;
    final List<MetadataParam> metadata;
    final int[] pruneLayers;
    final long maxBufferBytes;

    private QuantizeOptions(Builder builder) {
        fileType = builder.fileType;
        threads = builder.threads;
        outputType = builder.outputType;
        embeddingType = builder.embeddingType;
        overrides = List.copyOf(builder.overrides);
        imatrix = builder.imatrix;
        imatrixName = builder.imatrixName;
        unseenExperts = builder.unseenExperts;
        allowRequantize = builder.allowRequantize;
        leaveOutput = builder.leaveOutput;
        pure = builder.pure;
        keepSplit = builder.keepSplit;
        metadata = List.copyOf(builder.metadata.values());
        pruneLayers = builder.pruneLayers.stream().mapToInt(layer -> layer).toArray();
        maxBufferBytes = builder.maxBufferBytes;
    }

    /** Begins with a file type's own mixture. */
    public static Builder builder(FileType fileType) {
        return new Builder(fileType);
    }

    /** Collects options; each value is checked when it is set. Not thread-safe. */
    public static final class Builder {

        private static final int MAX_THREADS = 512;
        private static final int MAX_METADATA_BYTES = 127; // llama.cpp has room for as many
        private static final long MAX_UINT32 = 0xFFFF_FFFFL;
        private static final long MIB = 1 << 20;

        private final FileType fileType;
        private int threads;
        private @Nullable TensorType outputType;
        private @Nullable TensorType embeddingType;
        private final List<TensorOverride> overrides = new ArrayList<>();
        private @Nullable Imatrix imatrix;
        private String imatrixName = "";
        private UnseenExperts unseenExperts = UnseenExperts.FLAT;
        private boolean allowRequantize;
        private boolean leaveOutput;
        private boolean pure;
        private boolean keepSplit;
        private final Map<String, MetadataParam> metadata = new LinkedHashMap<>();
        private final TreeSet<Integer> pruneLayers = new TreeSet<>();
        private long maxBufferBytes;

        private Builder(FileType fileType) {
            this.fileType = fileType;
        }

        /**
         * CPU threads; by default all.
         *
         * @throws IllegalArgumentException unless from 1 to 512
         */
        public Builder threads(int count) {
            if (count < 1 || count > MAX_THREADS) {
                throw new IllegalArgumentException("threads is " + count + ", must be from 1 to " + MAX_THREADS);
            }
            threads = count;
            return this;
        }

        /**
         * The format of the output matrix, and of token embeddings that serve as one.
         *
         * @throws IllegalArgumentException if it is no format for weights
         */
        public Builder outputType(TensorType type) {
            outputType = weights(type);
            return this;
        }

        /**
         * The format of the token embeddings.
         *
         * @throws IllegalArgumentException if it is no format for weights
         */
        public Builder embeddingType(TensorType type) {
            embeddingType = weights(type);
            return this;
        }

        /**
         * The format of tensors by name; of several patterns that match, the first counts. Names are in lower case.
         *
         * @param pattern a regular expression of ECMAScript, for instance {@code ffn_down_exps} or {@code blk\.(0|1)\.}
         * @throws IllegalArgumentException if the pattern is empty, the type is no format for weights, or the file type is one
         *     for which llama.cpp does not look at patterns
         */
        public Builder tensorType(String pattern, TensorType type) {
            if (pattern.isEmpty() || pattern.indexOf('\0') >= 0) {
                throw new IllegalArgumentException(
                        "the pattern of a tensor's type is empty or has a NUL character in it");
            }
            if (fileType == FileType.COPY || !fileType.mainType().isQuantized()) {
                throw new IllegalArgumentException(
                        "llama.cpp has formats for single tensors only in quantized files, not in " + fileType);
            }
            overrides.add(new TensorOverride(pattern, weights(type)));
            return this;
        }

        /**
         * An importance matrix, which most formats gain by, and those below 3 bits cannot do without.
         *
         * @param matrix made for this model
         * @param name of its file, for the output's metadata
         */
        public Builder imatrix(Imatrix matrix, String name) {
            imatrix = matrix;
            imatrixName = name;
            return this;
        }

        /** What experts weigh that the importance matrix's text never reached; {@link UnseenExperts#FLAT} by default. */
        public Builder unseenExperts(UnseenExperts choice) {
            unseenExperts = choice;
            return this;
        }

        /** Whether tensors that are quantized already may be quantized again, which adds up both errors. */
        public Builder allowRequantize(boolean on) {
            allowRequantize = on;
            return this;
        }

        /** Whether the output matrix stays as it is. */
        public Builder leaveOutput(boolean on) {
            leaveOutput = on;
            return this;
        }

        /** Whether all tensors get the file type's main format, instead of its mixture. */
        public Builder pure(boolean on) {
            pure = on;
            return this;
        }

        /** Whether a model in several files becomes one in as many. */
        public Builder keepSplit(boolean on) {
            keepSplit = on;
            return this;
        }

        /**
         * Sets an integer of the output's metadata, of 32 bits without a sign, as llama.cpp has it.
         *
         * @throws IllegalArgumentException if it is out of range, or the key is one of the file's own layout
         */
        public Builder metadata(String key, long value) {
            if (value < 0 || value > MAX_UINT32) {
                throw new IllegalArgumentException(
                        "metadata '" + key + "' is " + value + ", must be from 0 to " + MAX_UINT32);
            }
            return override(new MetadataParam(key, 0, value, 0, false, ""));
        }

        /** Sets a floating-point number of the output's metadata. */
        public Builder metadata(String key, double value) {
            return override(new MetadataParam(key, 1, 0, value, false, ""));
        }

        /** Sets a boolean of the output's metadata. */
        public Builder metadata(String key, boolean value) {
            return override(new MetadataParam(key, 2, 0, 0, value, ""));
        }

        /**
         * Sets a text of the output's metadata.
         *
         * @throws IllegalArgumentException if it has more than 127 bytes of UTF-8, which is what llama.cpp has room for
         */
        public Builder metadata(String key, String value) {
            checkLength("text", value);
            return override(new MetadataParam(key, 3, 0, 0, false, value));
        }

        private Builder override(MetadataParam param) {
            checkLength("key", param.key());
            if (param.key().isEmpty()
                    || param.key().startsWith("split.")
                    || param.key().equals("general.alignment")) {
                throw new IllegalArgumentException(
                        "metadata '" + param.key() + "' is the file's own, and cannot be set");
            }
            metadata.put(param.key(), param);
            return this;
        }

        private static void checkLength(String what, String text) {
            if (text.indexOf('\0') >= 0 || text.getBytes(StandardCharsets.UTF_8).length > MAX_METADATA_BYTES) {
                throw new IllegalArgumentException("a " + what + " of metadata must have at most " + MAX_METADATA_BYTES
                        + " bytes of UTF-8 and no NUL character: " + text);
            }
        }

        /**
         * Leaves out layers; the others move up.
         *
         * @throws IllegalArgumentException if one is negative
         */
        public Builder pruneLayers(int... layers) {
            IntStream.of(layers).forEach(layer -> {
                if (layer < 0) {
                    throw new IllegalArgumentException("layer " + layer + " cannot be left out: layers count from 0");
                }
                pruneLayers.add(layer);
            });
            return this;
        }

        /**
         * Most mebibytes of a tensor in memory at once; 8192 by default.
         *
         * @throws IllegalArgumentException unless from 1 to 1048576
         */
        public Builder maxBufferMib(int mib) {
            if (mib < 1 || mib > MIB) {
                throw new IllegalArgumentException("maxBufferMib is " + mib + ", must be from 1 to " + MIB);
            }
            maxBufferBytes = mib * MIB;
            return this;
        }

        /** The options. */
        public QuantizeOptions build() {
            return new QuantizeOptions(this);
        }

        /** llama.cpp ends the process for others. */
        private static TensorType weights(TensorType type) {
            return switch (type) {
                case Q8_1, Q8_K, I8, I16, I32, I64, F64 ->
                    throw new IllegalArgumentException("type " + type + " is no format for weights");
                default -> type;
            };
        }
    }
}
