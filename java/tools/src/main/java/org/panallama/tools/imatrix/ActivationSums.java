package org.panallama.tools.imatrix;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.panallama.GraphNode;
import org.panallama.LlamaException;
import org.panallama.NodeObserver;
import org.panallama.TensorType;

/**
 * Sums the squares of what a model's weight matrices are multiplied by. Which products count is llama-imatrix's choice: those
 * of the layers' weights, and of the output matrix on demand. Sums are of 32 bits as they are in files, so that a run that
 * was interrupted and goes on from a file gives the same as one that was not.
 */
final class ActivationSums implements NodeObserver {

    private static final String DENSE = "MUL_MAT";
    private static final String EXPERTS = "MUL_MAT_ID";
    private static final int WINDOW_BYTES = 64 << 20;

    private final boolean outputTensor;
    private final Map<String, Sums> tensors = new HashMap<>();
    private ByteBuffer window = buffer(1 << 20);
    private ByteBuffer ids = buffer(1 << 12);
    private float[] row = new float[0];

    /** What {@link TensorActivations} is made from in the end. */
    private record Sums(float[] squares, long[] counts) {}

    /** @param outputTensor whether the output matrix counts as well */
    ActivationSums(boolean outputTensor) {
        this.outputTensor = outputTensor;
    }

    /** Goes on from sums of an earlier run, which are copied. */
    void start(Map<String, TensorActivations> earlier) {
        earlier.forEach((name, activations) -> tensors.put(
                name,
                new Sums(activations.squares().clone(), activations.counts().clone())));
    }

    /** A copy of the sums so far. */
    Map<String, TensorActivations> snapshot() {
        Map<String, TensorActivations> copy = new TreeMap<>();
        tensors.forEach(
                (name, sums) -> copy.put(name, new TensorActivations(sums.squares.clone(), sums.counts.clone())));
        return copy;
    }

    @Override
    public boolean wants(GraphNode node) {
        String operation = node.operation();
        if (!operation.equals(DENSE) && !operation.equals(EXPERTS)) {
            return false;
        }
        String weight = weight(node);
        boolean counts = weight.startsWith("blk.") || outputTensor && weight.equals("output.weight");
        return counts && source(node, 1).type() == TensorType.F32;
    }

    /** The name of the weights, without what llama.cpp adds where it copies them to a device: {@code CUDA0#NAME#0}. */
    private static String weight(GraphNode node) {
        String[] parts = source(node, 0).name().split("#", 3);
        return parts.length > 1 ? parts[1] : parts[0];
    }

    private static GraphNode source(GraphNode node, int index) {
        GraphNode source = node.source(index);
        if (source == null) {
            throw new IllegalStateException(node.name() + " is " + node.operation() + " without source " + index);
        }
        return source;
    }

    @Override
    public void computed(GraphNode node) {
        GraphNode weights = source(node, 0);
        GraphNode input = source(node, 1);
        String name = weight(node);
        int columns = Math.toIntExact(input.dimension(0));
        if (row.length < columns) {
            row = new float[columns];
        }
        Input rows = new Input(input, columns);
        if (node.operation().equals(EXPERTS)) {
            addExperts(name, weights, rows, source(node, 2));
        } else {
            addDense(name, weights, rows);
        }
    }

    /** Vectors of columns × experts used or 1 × tokens, and the experts' numbers of experts used × tokens. */
    private void addExperts(String name, GraphNode weights, Input input, GraphNode chosen) {
        int experts = Math.toIntExact(weights.dimension(2));
        Sums sums = sums(name, input.columns, experts, experts);
        ids = filled(ids, chosen);
        for (int token = 0; token < chosen.dimension(1); token++) {
            for (int i = 0; i < chosen.dimension(0); i++) {
                int expert = ids.getInt((int) (token * chosen.stride(1) + i * chosen.stride(0)));
                if (expert < 0 || expert >= experts) {
                    throw new LlamaException("llama.cpp chose expert " + expert + " of " + experts + " in " + name);
                }
                input.read(i % input.node.dimension(1), token, 0);
                add(sums.squares, expert * input.columns, input.columns);
                sums.counts[expert]++;
            }
        }
        check(name, sums);
    }

    /** Several matrices, as in multi-head latent attention, have sums of their own and one count. */
    private void addDense(String name, GraphNode weights, Input input) {
        long planes = weights.dimension(2);
        long matrices = planes * weights.dimension(3);
        Sums sums = sums(name, input.columns, Math.toIntExact(matrices), 1);
        long vectors = 0;
        for (long i3 = 0; i3 < input.node.dimension(3); i3++) {
            for (long i2 = 0; i2 < input.node.dimension(2); i2++) {
                int matrix = (int) (i3 % weights.dimension(3) * planes + i2 % planes);
                for (long i1 = 0; i1 < input.node.dimension(1); i1++) {
                    input.read(i1, i2, i3);
                    add(sums.squares, matrix * input.columns, input.columns);
                    vectors++;
                }
            }
        }
        sums.counts[0] += vectors / matrices;
        check(name, sums);
    }

    private Sums sums(String name, int columns, int matrices, int counts) {
        Sums sums = tensors.get(name);
        if (sums == null) {
            sums = new Sums(new float[Math.multiplyExact(columns, matrices)], new long[counts]);
            tensors.put(name, sums);
        } else if (sums.squares.length != columns * matrices || sums.counts.length != counts) {
            throw new LlamaException("The importance matrix to go on from has " + sums.squares.length + " numbers and "
                    + sums.counts.length + " counts for " + name + ", this model " + columns * matrices + " and "
                    + counts
                    + ": it is of another model");
        }
        return sums;
    }

    private void add(float[] sums, int start, int columns) {
        float[] values = row;
        for (int i = 0; i < columns; i++) {
            sums[start + i] += values[i] * values[i];
        }
    }

    private static void check(String name, Sums sums) {
        for (float sum : sums.squares) {
            if (!Float.isFinite(sum)) {
                throw new LlamaException("The activations of " + name
                        + " are not finite: the model is damaged, or of a format" + " whose range they exceed");
            }
        }
    }

    /** The vectors, read from their device a window at a time. */
    private final class Input {

        private final GraphNode node;
        private final int columns;
        private final long bytes;
        private final long[] strides = new long[GraphNode.DIMENSIONS];
        private long start;
        private long end;

        Input(GraphNode node, int columns) {
            this.node = node;
            this.columns = columns;
            this.bytes = node.bytes();
            for (int i = 0; i < strides.length; i++) {
                strides[i] = node.stride(i);
            }
            if (strides[0] != Float.BYTES) {
                throw new IllegalStateException("the vectors of " + node.name() + " are not contiguous");
            }
        }

        /** Copies a vector into {@code row}. */
        void read(long i1, long i2, long i3) {
            long from = i1 * strides[1] + i2 * strides[2] + i3 * strides[3];
            long length = (long) columns * Float.BYTES;
            if (from < start || from + length > end) {
                long wanted = Math.max(length, Math.min(WINDOW_BYTES, bytes - from));
                window = enough(window, wanted).limit((int) wanted);
                node.read(window, from);
                start = from;
                end = from + wanted;
            }
            window.position((int) (from - start));
            window.asFloatBuffer().get(row, 0, columns);
            window.position(0);
        }
    }

    private static ByteBuffer filled(ByteBuffer buffer, GraphNode node) {
        ByteBuffer to = enough(buffer, node.bytes()).limit(Math.toIntExact(node.bytes()));
        node.read(to, 0);
        return to;
    }

    private static ByteBuffer enough(ByteBuffer buffer, long bytes) {
        return buffer.capacity() >= bytes ? buffer.clear() : buffer(Math.toIntExact(bytes));
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }
}
