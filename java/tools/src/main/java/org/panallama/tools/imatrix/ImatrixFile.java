package org.panallama.tools.imatrix;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.panallama.LlamaException;
import org.panallama.gguf.GgmlType;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufTensor;
import org.panallama.gguf.GgufType;
import org.panallama.gguf.GgufValue;
import org.panallama.gguf.GgufWriter;
import org.panallama.tools.internal.OutputPlace;

/**
 * The GGUF format of importance matrices: for each weight tensor NAME, the tensors {@code NAME.in_sum2} (columns × experts) and
 * {@code NAME.counts} (1 × experts), both F32, and what they were collected from in the metadata. Keys under {@code
 * panallama.} are ours, and nobody else's concern.
 */
final class ImatrixFile {

    private static final String TYPE = "imatrix";
    private static final String DATASETS = "imatrix.datasets";
    private static final String CHUNK_COUNT = "imatrix.chunk_count";
    private static final String CHUNK_SIZE = "imatrix.chunk_size";
    private static final String DIGEST = "panallama.imatrix.text";
    private static final String NEXT_CHUNK = "panallama.imatrix.next_chunk";
    private static final String SUMS = ".in_sum2";
    private static final String COUNTS = ".counts";

    // Far more than texts add up to, and so little that many such files can be added up.
    private static final float MAX_SUM = 1e30f;
    private static final float MAX_COUNT = 1L << 50;

    private ImatrixFile() {}

    static Imatrix read(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer magic = ByteBuffer.allocate(Integer.BYTES);
            channel.read(magic, 0);
            if (!new String(magic.array(), StandardCharsets.ISO_8859_1).equals("GGUF")) {
                return LegacyImatrixFile.read(file, channel);
            }
            return read(GgufFile.open(file));
        } catch (NoSuchFileException e) {
            throw new LlamaException("Cannot read the importance matrix " + file + ": no such file", e);
        } catch (IOException e) {
            throw new LlamaException("Cannot read the importance matrix " + file + ": " + e.getMessage(), e);
        }
    }

    private static Imatrix read(GgufFile file) throws IOException {
        String type = file.string("general.type").orElse("model");
        if (!type.equals(TYPE)) {
            throw damaged(file.path(), "its general.type is '" + type + "', must be 'imatrix'");
        }
        Map<String, float[]> sums = new TreeMap<>();
        Map<String, float[]> counts = new TreeMap<>();
        for (GgufTensor tensor : file.tensors()) {
            if (tensor.name().endsWith(SUMS)) {
                sums.put(without(tensor.name(), SUMS), values(file, tensor));
            } else if (tensor.name().endsWith(COUNTS)) {
                counts.put(without(tensor.name(), COUNTS), values(file, tensor));
            }
        }
        if (sums.isEmpty() || !sums.keySet().equals(counts.keySet())) {
            throw damaged(
                    file.path(),
                    "it must have a tensor .in_sum2 and a tensor .counts for each weight tensor, and has " + sums.size()
                            + " and " + counts.size());
        }
        Map<String, TensorActivations> tensors = new TreeMap<>();
        sums.forEach((name, squares) -> tensors.put(name, activations(file, name, squares, counts.get(name))));
        return new Imatrix(
                tensors, datasets(file), integer(file, CHUNK_COUNT), integer(file, CHUNK_SIZE), position(file));
    }

    private static TensorActivations activations(GgufFile file, String name, float[] squares, float[] counts) {
        long[] whole = new long[counts.length];
        for (int i = 0; i < counts.length; i++) {
            whole[i] = Math.round((double) counts[i]);
        }
        try {
            return new TensorActivations(squares, whole);
        } catch (IllegalArgumentException e) {
            throw damaged(file.path(), name + ": " + e.getMessage());
        }
    }

    private static float[] values(GgufFile file, GgufTensor tensor) throws IOException {
        if (tensor.type() != GgmlType.F32.id()) {
            throw damaged(file.path(), tensor.name() + " is not of type F32");
        }
        if (file.offset(tensor) > file.size() - tensor.bytes() || tensor.bytes() > Integer.MAX_VALUE) {
            throw damaged(file.path(), "the file is cut off in the data of " + tensor.name());
        }
        ByteBuffer bytes = ByteBuffer.allocate((int) tensor.bytes()).order(file.order());
        file.read(tensor, 0, bytes);
        float[] values = new float[(int) tensor.elements()];
        bytes.flip().asFloatBuffer().get(values);
        checkValues(file.path(), tensor.name(), values, tensor.name().endsWith(SUMS) ? MAX_SUM : MAX_COUNT);
        return values;
    }

    static void checkSums(Path file, String name, float[] sums) {
        checkValues(file, name, sums, MAX_SUM);
    }

    private static void checkValues(Path file, String name, float[] values, float most) {
        for (float value : values) {
            if (!(value >= 0 && value <= most)) {
                throw damaged(file, name + " has the value " + value + ", must be finite, from 0 to " + most);
            }
        }
    }

    private static List<String> datasets(GgufFile file) {
        GgufValue value = file.metadata().get(DATASETS);
        return value != null && value.isArray() && value.elementType() == GgufType.STRING ? value.strings() : List.of();
    }

    private static int integer(GgufFile file, String key) {
        OptionalLong value = file.integer(key);
        if (value.isEmpty() || value.getAsLong() < 0 || value.getAsLong() > Integer.MAX_VALUE) {
            throw damaged(file.path(), key + " is " + (value.isEmpty() ? "missing" : value.getAsLong()));
        }
        return (int) value.getAsLong();
    }

    private static @Nullable TextPosition position(GgufFile file) {
        return file.string(DIGEST).isPresent() && file.integer(NEXT_CHUNK).isPresent()
                ? new TextPosition(file.string(DIGEST).get(), integer(file, NEXT_CHUNK))
                : null;
    }

    private static String without(String name, String suffix) {
        return name.substring(0, name.length() - suffix.length());
    }

    static LlamaException damaged(Path file, String what) {
        return new LlamaException(file + " cannot be used as an importance matrix: " + what);
    }

    static void write(Imatrix matrix, Path file) {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.type", GgufValue.string(TYPE));
        metadata.put(DATASETS, GgufValue.strings(matrix.datasets()));
        metadata.put(CHUNK_COUNT, GgufValue.uint32(matrix.chunkCount()));
        metadata.put(CHUNK_SIZE, GgufValue.uint32(matrix.chunkSize()));
        TextPosition position = matrix.position();
        if (position != null) {
            metadata.put(DIGEST, GgufValue.string(position.digest()));
            metadata.put(NEXT_CHUNK, GgufValue.uint32(position.nextChunk()));
        }
        List<GgufTensor> tensors = new ArrayList<>();
        matrix.tensors().forEach((name, activations) -> {
            long experts = activations.counts().length;
            tensors.add(tensor(name + SUMS, activations.columns(), experts));
            tensors.add(tensor(name + COUNTS, 1, experts));
        });
        try (GgufWriter writer = GgufWriter.create(file, metadata, tensors)) {
            for (TensorActivations activations : matrix.tensors().values()) {
                writer.write(bytes(activations.squares()));
                float[] counts = new float[activations.counts().length];
                for (int i = 0; i < counts.length; i++) {
                    counts[i] = activations.counts()[i];
                }
                writer.write(bytes(counts));
            }
            writer.finish();
        } catch (IOException e) {
            throw OutputPlace.failed(file, e);
        }
    }

    private static GgufTensor tensor(String name, long columns, long experts) {
        if (name.getBytes(StandardCharsets.UTF_8).length > GgufTensor.MAX_NAME_BYTES) {
            throw new LlamaException("the tensor name " + name
                    + " is too long for an importance matrix, which has room for "
                    + GgufTensor.MAX_NAME_BYTES + " bytes");
        }
        return GgufTensor.of(name, GgmlType.F32, List.of(columns, experts));
    }

    private static ByteBuffer bytes(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes;
    }
}
