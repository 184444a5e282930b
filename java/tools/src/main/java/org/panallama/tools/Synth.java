package org.panallama.tools;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.DoubleConsumer;
import org.jspecify.annotations.Nullable;
import org.panallama.LlamaException;
import org.panallama.TensorType;
import org.panallama.gguf.GgufTensor;
import org.panallama.gguf.GgufValue;
import org.panallama.gguf.GgufWriter;
import org.panallama.internal.GgufFile;
import org.panallama.tools.internal.OutputPlace;

/**
 * Writes models of random weights that have the tensors of a well-known model: they load and compute like it, and say
 * nothing. For measuring speed and memory without a download. The same options give the same file, byte for byte.
 */
public final class Synth {

    private static final int MAX_LAYERS = 512;

    private final ModelShape shape;
    private final int layers;
    private final TensorType type;
    private final Path tokenizer;
    private final long seed;

    private Synth(Builder builder) {
        shape = builder.shape;
        layers = builder.layers == 0 ? shape.layers() : builder.layers;
        type = builder.type;
        tokenizer = Objects.requireNonNull(builder.tokenizer, "a tokenizer must be set");
        seed = builder.seed;
    }

    /** Begins with Mixtral 8x7B, all its layers, Q4_K. A tokenizer must be set. */
    public static Builder builder() {
        return new Builder();
    }

    /** Collects what a model shall be. */
    public static final class Builder {

        private ModelShape shape = ModelShape.MIXTRAL_8X7B;
        private int layers;
        private TensorType type = TensorType.Q4_K;
        private @Nullable Path tokenizer;
        private long seed = 42;

        private Builder() {}

        /** The sizes. */
        public Builder shape(ModelShape value) {
            shape = value;
            return this;
        }

        /**
         * How many layers, 0 for as many as the model has; with fewer, the file is smaller and each layer's work is the same.
         *
         * @throws IllegalArgumentException unless from 0 to 512
         */
        public Builder layers(int count) {
            if (count < 0 || count > MAX_LAYERS) {
                throw new IllegalArgumentException("layers is " + count + ", must be from 0 to " + MAX_LAYERS);
            }
            layers = count;
            return this;
        }

        /**
         * The format of the matrices.
         *
         * @throws IllegalArgumentException if weights cannot be stored in it
         */
        public Builder type(TensorType value) {
            if (!RandomWeights.covers(value)) {
                throw new IllegalArgumentException(
                        "type is " + value + ", must be a floating-point or quantization type for weights");
            }
            type = value;
            return this;
        }

        /** A GGUF file whose tokenizer the model gets; tokens are added to it up to the vocabulary size of the shape. */
        public Builder tokenizer(Path gguf) {
            tokenizer = gguf;
            return this;
        }

        /** What the random numbers begin with. */
        public Builder seed(long value) {
            seed = value;
            return this;
        }

        /**
         * Checks the values against each other.
         *
         * @throws IllegalArgumentException if rows of the shape are no whole blocks of the type
         */
        public Synth build() {
            Synth synth = new Synth(this);
            synth.tensors();
            return synth;
        }
    }

    /** The bytes of the tensors; the file is a little larger. */
    public long tensorBytes() {
        return tensors().stream().mapToLong(GgufTensor::bytes).sum();
    }

    /**
     * Writes the model.
     *
     * @param target the file, which appears when it is complete
     * @param progress is told the part that is done, from 0 to 1
     * @throws LlamaException if the tokenizer cannot be taken, the disk has no room, or the file cannot be written
     */
    public void write(Path target, DoubleConsumer progress) {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", GgufValue.string(shape.architecture()));
        metadata.put("general.name", GgufValue.string("Random " + shape.name() + ", " + layers + " layers, " + type));
        metadata.putAll(SynthTensors.hyperparameters(shape, layers));
        metadata.putAll(SynthVocab.extended(GgufFile.read(tokenizer), shape.vocabulary()));
        try {
            OutputPlace.requireOther(target, List.of(tokenizer));
            requireRoom(target);
            try (GgufWriter writer = GgufWriter.create(target, metadata, tensors())) {
                writeTensors(writer, progress);
                writer.finish();
            }
        } catch (IOException e) {
            throw new LlamaException("Cannot write " + target + ": " + e, e);
        }
    }

    private void requireRoom(Path target) throws IOException {
        Path folder = target.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) {
            throw new LlamaException("Cannot write " + target + ": the folder " + folder + " does not exist");
        }
        long room = Files.getFileStore(folder).getUsableSpace();
        if (room < tensorBytes()) {
            throw new LlamaException("Cannot write " + target + ": it will have " + (tensorBytes() >> 20)
                    + " MiB, and the disk has room for " + (room >> 20) + " MiB. Choose fewer layers or another disk.");
        }
    }

    private void writeTensors(GgufWriter writer, DoubleConsumer progress) throws IOException {
        RandomWeights weights = new RandomWeights(seed);
        long total = tensorBytes();
        long done = 0;
        GgufTensor tensor = writer.current();
        while (tensor != null) {
            if (tensor.name().endsWith("norm.weight")) {
                writer.write(ones(tensor));
            } else {
                writeRandom(writer, tensor, weights);
            }
            done += tensor.bytes();
            progress.accept((double) done / total);
            tensor = writer.current();
        }
    }

    /** Goes around the tile from a block by chance. */
    private static void writeRandom(GgufWriter writer, GgufTensor tensor, RandomWeights weights) throws IOException {
        TensorType format = TensorType.of(tensor.type());
        ByteBuffer tile = weights.tile(format);
        int start = weights.anyBlock(format);
        long left = tensor.bytes();
        while (left > 0) {
            int length = (int) Math.min(left, tile.capacity() - start);
            writer.write(tile.slice(start, length));
            left -= length;
            start = 0;
        }
    }

    private static ByteBuffer ones(GgufTensor tensor) {
        ByteBuffer data = ByteBuffer.allocate((int) tensor.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        while (data.hasRemaining()) {
            data.putFloat(1);
        }
        return data.flip();
    }

    private List<GgufTensor> tensors() {
        return SynthTensors.of(shape, layers, type);
    }
}
