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

    /** As floats, half a second-level cache. */
    private static final int CHUNK_ELEMENTS = 1 << 17;

    private static final int COPIED = 1 << 19;

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
        int step = Math.max(1, CHUNK_ELEMENTS / matrix.columns());
        for (long row = 0; row < matrix.rows(); row += step) {
            long first = row;
            int rows = (int) Math.min(step, matrix.rows() - row);
            int elements = Math.multiplyExact(rows, matrix.columns());
            pipeline.add(
                    scratch -> {
                        float[] values = scratch.floats(elements);
                        matrix.read(first, rows, values, 0);
                        ByteBuffer out = scratch.bytes(Math.toIntExact(format.bytes(elements)));
                        if (FloatEncoder.encode(format, values, elements, out)) {
                            overflow.set(true);
                        }
                        return out.flip();
                    },
                    sink);
        }
        pipeline.drain();
        return overflow.get();
    }

    /** Copies a tensor as it stands. */
    void copy(SafetensorsTensor tensor, ChunkPipeline.Sink sink) throws IOException {
        for (long done = 0; done < tensor.bytes(); done += COPIED) {
            long first = done;
            int bytes = (int) Math.min(COPIED, tensor.bytes() - done);
            pipeline.add(
                    scratch -> scratch.bytes(bytes).put(tensor.slice(first, bytes)).flip(), sink);
        }
        pipeline.drain();
    }

    @Override
    public void close() {
        pipeline.close();
    }
}
