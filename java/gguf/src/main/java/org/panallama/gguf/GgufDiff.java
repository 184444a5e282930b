package org.panallama.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoublePredicate;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Compares two models: metadata, and tensors with their data. The order of either does not matter, nor how they are
 * split.
 */
public final class GgufDiff {

    /** What differs. */
    public enum Kind {
        /** The byte order of the files. */
        FORMAT,
        /** A metadata key that only the first model has. */
        KEY_ONLY_IN_FIRST,
        /** A metadata key that only the second model has. */
        KEY_ONLY_IN_SECOND,
        /** The type or value of a metadata key. */
        VALUE,
        /** A tensor that only the first model has. */
        TENSOR_ONLY_IN_FIRST,
        /** A tensor that only the second model has. */
        TENSOR_ONLY_IN_SECOND,
        /** The shape of a tensor; its data is not compared then. */
        SHAPE,
        /** The type of a tensor; its data is not compared then. */
        TYPE,
        /** The data of a tensor. */
        DATA
    }

    /**
     * A difference.
     *
     * @param kind what differs
     * @param name the key or the tensor; empty for {@link Kind#FORMAT}
     * @param message how they differ
     */
    public record Difference(Kind kind, String name, String message) {}

    private final GgufModel first;
    private final GgufModel second;
    private final List<Difference> differences = new ArrayList<>();

    private GgufDiff(GgufModel first, GgufModel second) {
        this.first = first;
        this.second = second;
    }

    /**
     * Compares two models.
     *
     * @param progress gets the fraction done, from 0 to 1; {@code false} cancels
     * @return the differences, those of metadata first; empty if there are none
     * @throws java.util.concurrent.CancellationException if {@code progress} cancelled
     * @throws IOException if a file cannot be read
     */
    public static List<Difference> compare(GgufModel first, GgufModel second, DoublePredicate progress)
            throws IOException {
        GgufDiff diff = new GgufDiff(first, second);
        diff.compareFormat();
        diff.compareMetadata();
        diff.compareTensors(progress);
        return List.copyOf(diff.differences);
    }

    private void add(Kind kind, String name, String message) {
        differences.add(new Difference(kind, name, message));
    }

    private void compareFormat() {
        if (!sameOrder()) {
            add(
                    Kind.FORMAT,
                    "",
                    first.format().order() + " and " + second.format().order());
        }
    }

    private boolean sameOrder() {
        return first.format().order().equals(second.format().order());
    }

    private void compareMetadata() {
        first.metadata().forEach((key, value) -> {
            GgufValue other = second.metadata().get(key);
            if (other == null) {
                add(Kind.KEY_ONLY_IN_FIRST, key, value.toString());
            } else if (!value.equals(other)) {
                add(Kind.VALUE, key, values(value, other));
            }
        });
        second.metadata().forEach((key, value) -> {
            if (!first.metadata().containsKey(key)) {
                add(Kind.KEY_ONLY_IN_SECOND, key, value.toString());
            }
        });
    }

    private static String values(GgufValue a, GgufValue b) {
        if (!a.isArray() || !b.isArray() || a.elementType() != b.elementType()) {
            return a + " and " + b;
        }
        int common = Math.min(a.length(), b.length());
        int different = 0;
        int at = -1;
        for (int i = 0; i < common; i++) {
            if (!element(a, i).equals(element(b, i))) {
                at = different++ == 0 ? i : at;
            }
        }
        String lengths = a.length() == b.length() ? a.describe() : a.describe() + " and " + b.describe();
        return at < 0
                ? lengths
                : lengths + ", " + different + " elements differ, the first at " + at + ": " + element(a, at) + " and "
                        + element(b, at);
    }

    private static String element(GgufValue value, int i) {
        return switch (value.elementType()) {
            case STRING -> "'" + value.string(i) + "'";
            case BOOL -> String.valueOf(value.bool(i));
            case UINT64 -> Long.toUnsignedString(value.integer(i));
            case FLOAT32, FLOAT64 -> String.valueOf(value.number(i));
            default -> String.valueOf(value.integer(i));
        };
    }

    private void compareTensors(DoublePredicate progress) throws IOException {
        Map<String, GgufTensor> others = second.tensors().stream()
                .collect(Collectors.toMap(GgufTensor::name, Function.identity(), (a, b) -> a, LinkedHashMap::new));
        Work work = Work.on(first.tensors(), progress);
        for (GgufTensor tensor : first.tensors()) {
            GgufTensor other = others.remove(tensor.name());
            if (other == null) {
                add(Kind.TENSOR_ONLY_IN_FIRST, tensor.name(), tensor.ggmlType() + " " + tensor.shape());
            } else if (!tensor.shape().equals(other.shape())) {
                add(Kind.SHAPE, tensor.name(), tensor.shape() + " and " + other.shape());
            } else if (tensor.type() != other.type()) {
                add(Kind.TYPE, tensor.name(), tensor.ggmlType() + " and " + other.ggmlType());
            } else {
                compareData(tensor, other, work);
                continue;
            }
            work.done(tensor.bytes());
        }
        others.values()
                .forEach(
                        other -> add(Kind.TENSOR_ONLY_IN_SECOND, other.name(), other.ggmlType() + " " + other.shape()));
    }

    private void compareData(GgufTensor tensor, GgufTensor other, Work work) throws IOException {
        GgmlType type = tensor.ggmlType();
        if (!sameOrder() && type.isQuantized()) {
            work.done(tensor.bytes());
            add(Kind.DATA, tensor.name(), "quantized data of different byte orders cannot be compared");
            return;
        }
        DataComparison comparison = new DataComparison(type);
        int chunkBytes = Work.CHUNK / type.typeSize() * type.typeSize();
        ByteBuffer theirs = ByteBuffer.allocateDirect((int) Math.min(chunkBytes, tensor.bytes()))
                .order(second.format().order());
        long[] done = {0};
        first.file(tensor).readChunks(tensor, chunkBytes, chunk -> {
            theirs.clear().limit(chunk.remaining());
            second.file(other).read(other, done[0], theirs);
            comparison.compare(chunk, theirs.flip());
            done[0] += theirs.limit();
            work.done(theirs.limit());
        });
        if (comparison.differs()) {
            add(Kind.DATA, tensor.name(), comparison.toString());
        }
    }
}
