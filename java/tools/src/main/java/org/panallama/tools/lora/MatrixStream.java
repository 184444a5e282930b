package org.panallama.tools.lora;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import org.panallama.gguf.GgmlType;
import org.panallama.tools.convert.ChunkPipeline;
import org.panallama.tools.convert.FloatEncoder;
import org.panallama.tools.safetensors.SafetensorsTensor;

/** Computes matrices on several threads, some rows each, and hands the rows over in order. */
final class MatrixStream implements AutoCloseable {

    /** Elements at a time: as floats, half a second-level cache. */
    private static final int PIECE_ELEMENTS = 1 << 17;

    private static final int COPIED = 1 << 20;

    private final ChunkPipeline pipeline;

    MatrixStream(int threads) {
        pipeline = new ChunkPipeline(threads);
    }

    /**
     * Writes a matrix.
     *
     * @return whether finite numbers became infinite in the format
     */
    boolean write(Matrix matrix, GgmlType format, ChunkPipeline.Sink sink) throws IOException {
        AtomicBoolean overflow = new AtomicBoolean();
        int step = Math.max(1, ChunkPipeline.ELEMENTS / matrix.columns());
        for (long row = 0; row < matrix.rows(); row += step) {
            long first = row;
            int rows = (int) Math.min(step, matrix.rows() - row);
            pipeline.add(
                    scratch -> {
                        int elements = Math.multiplyExact(rows, matrix.columns());
                        ByteBuffer out = scratch.bytes(Math.toIntExact(format.bytes(elements)));
                        if (compute(matrix, first, rows, format, scratch, out)) {
                            overflow.set(true);
                        }
                        return out.flip();
                    },
                    sink);
        }
        pipeline.drain();
        return overflow.get();
    }

    private static boolean compute(
            Matrix matrix, long first, int rows, GgmlType format, ChunkPipeline.Scratch scratch, ByteBuffer out) {
        int step = Math.max(1, PIECE_ELEMENTS / matrix.columns());
        float[] values = scratch.floats(Math.multiplyExact(Math.min(step, rows), matrix.columns()));
        boolean overflow = false;
        for (int row = 0; row < rows; row += step) {
            int count = Math.min(step, rows - row);
            matrix.read(first + row, count, values, 0);
            overflow |= FloatEncoder.encode(format, values, count * matrix.columns(), out);
        }
        return overflow;
    }

    /** Copies a tensor as it stands. */
    void copy(SafetensorsTensor tensor, ChunkPipeline.Sink sink) throws IOException {
        for (long done = 0; done < tensor.bytes(); done += COPIED) {
            long first = done;
            int bytes = (int) Math.min(COPIED, tensor.bytes() - done);
            pipeline.add(
                    scratch ->
                            scratch.bytes(bytes).put(tensor.slice(first, bytes)).flip(),
                    sink);
        }
        pipeline.drain();
    }

    @Override
    public void close() {
        pipeline.close();
    }
}
