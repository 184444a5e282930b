package org.panallama.tools.convert;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentSkipListSet;
import org.panallama.gguf.GgmlType;
import org.panallama.gguf.GgufWriter;
import org.panallama.tools.Progress;
import org.panallama.tools.safetensors.SafetensorsTensor;
import org.panallama.tools.safetensors.SafetensorsType;

/**
 * Streams tensors into a file: several threads convert a part each, one writes them in order. What needs no conversion is
 * copied by the threads too: written straight from the mapped checkpoint, whose pages are not there yet, the system would
 * begin the same page several times.
 */
final class TensorWriter {

    private static final int PIECE_ELEMENTS = 1 << 13;
    private static final int UPDATES = 200;

    private final GgufWriter target;
    private final int threads;
    private final Progress progress;
    private final long total;
    private final Set<String> overflown = new ConcurrentSkipListSet<>();
    private long written;
    private long nextUpdate;

    TensorWriter(GgufWriter target, int threads, Progress progress, long total) {
        this.target = target;
        this.threads = threads;
        this.progress = progress;
        this.total = total;
    }

    /** The names of tensors with elements too large for the format. */
    Set<String> overflown() {
        return overflown;
    }

    void write(List<PlannedTensor> tensors) throws IOException {
        try (ChunkPipeline pipeline = new ChunkPipeline(threads)) {
            for (PlannedTensor tensor : tensors) {
                write(tensor, pipeline);
            }
            pipeline.drain();
        }
    }

    private void write(PlannedTensor tensor, ChunkPipeline pipeline) throws IOException {
        if (!tensor.values().isEmpty()) {
            pipeline.add(scratch -> computed(tensor.values()), this::write);
        }
        for (TensorPart part : tensor.parts()) {
            long step = Math.max(1, ChunkPipeline.ELEMENTS / part.columns());
            for (long row = 0; row < part.rows(); row += step) {
                long first = row;
                int rows = (int) Math.min(step, part.rows() - row);
                pipeline.add(scratch -> convert(tensor, part, first, rows, scratch), this::write);
            }
        }
    }

    private void write(ByteBuffer data) throws IOException {
        written += data.remaining();
        target.write(data);
        if (written >= nextUpdate) {
            nextUpdate = written + total / UPDATES;
            if (!progress.onProgress(Math.min(1, (double) written / total))) {
                throw new CancellationException("the conversion was cancelled");
            }
        }
    }

    private static ByteBuffer computed(List<Float> values) {
        ByteBuffer data = ByteBuffer.allocate(values.size() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        values.forEach(data::putFloat);
        return data.flip();
    }

    private ByteBuffer convert(
            PlannedTensor tensor, TensorPart part, long firstRow, int rows, ChunkPipeline.Scratch scratch) {
        GgmlType format = tensor.format();
        SafetensorsTensor source = part.tensor();
        long rowBytes = (long) part.columns() * source.type().bits() / Byte.SIZE;
        int elements = Math.multiplyExact(rows, part.columns());
        ByteBuffer out = scratch.bytes(Math.toIntExact(format.bytes(elements)));
        if (sameFormat(source.type(), format)) {
            for (long row = 0; row < rows; ) {
                long run = part.run(firstRow + row, rows - row);
                out.put(source.slice(part.sourceRow(firstRow + row) * rowBytes, Math.toIntExact(run * rowBytes)));
                row += run;
            }
        } else {
            encode(tensor, part, firstRow, rows, scratch, out);
        }
        return out.flip();
    }

    /** Piece by piece, so that what is in between stays in the cache. */
    private void encode(
            PlannedTensor tensor,
            TensorPart part,
            long firstRow,
            int rows,
            ChunkPipeline.Scratch scratch,
            ByteBuffer out) {
        int columns = part.columns();
        int rowsOfPiece = Math.max(1, PIECE_ELEMENTS / columns);
        float[] values = scratch.floats(rowsOfPiece * columns);
        boolean overflow = false;
        for (int row = 0; row < rows; row += rowsOfPiece) {
            int count = Math.min(rowsOfPiece, rows - row);
            for (int i = 0; i < count; ) {
                int run = (int) part.run(firstRow + row + i, count - i);
                part.tensor().floats(part.sourceRow(firstRow + row + i) * columns, values, i * columns, run * columns);
                i += run;
            }
            overflow |= FloatEncoder.encode(tensor.format(), values, count * columns, out);
        }
        if (overflow) {
            overflown.add(tensor.name());
        }
    }

    private static boolean sameFormat(SafetensorsType type, GgmlType format) {
        return switch (type) {
            case F32 -> format == GgmlType.F32;
            case F16 -> format == GgmlType.F16;
            case BF16 -> format == GgmlType.BF16;
            default -> false;
        };
    }
}
