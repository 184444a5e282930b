package org.panallama.tools.convert;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.panallama.LlamaException;
import org.panallama.gguf.GgmlType;
import org.panallama.gguf.GgufWriter;
import org.panallama.tools.Progress;
import org.panallama.tools.safetensors.SafetensorsTensor;
import org.panallama.tools.safetensors.SafetensorsType;

/**
 * Streams tensors into a file: several threads convert a few megabytes each, one writes them in order. What needs no
 * conversion goes from the mapped checkpoint to the file without a copy.
 */
final class TensorWriter {

    private static final int CHUNK_ELEMENTS = 1 << 20;
    private static final int PIECE_ELEMENTS = 1 << 13;
    private static final int UPDATES = 200;

    private final GgufWriter target;
    private final int threads;
    private final Progress progress;
    private final long total;
    private final Deque<Future<ByteBuffer>> queue = new ArrayDeque<>();
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
        ExecutorService workers = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "panallama-convert");
            thread.setDaemon(true);
            return thread;
        });
        try {
            for (PlannedTensor tensor : tensors) {
                write(tensor, workers);
            }
            while (!queue.isEmpty()) {
                writeFirst();
            }
        } finally {
            workers.shutdownNow();
        }
    }

    private void write(PlannedTensor tensor, ExecutorService workers) throws IOException {
        if (!tensor.values().isEmpty()) {
            submit(() -> computed(tensor.values()), workers);
        }
        for (TensorPart part : tensor.parts()) {
            long step = Math.max(1, CHUNK_ELEMENTS / part.columns());
            for (long row = 0; row < part.rows(); row += step) {
                long first = row;
                int rows = (int) Math.min(step, part.rows() - row);
                submit(() -> convert(tensor, part, first, rows), workers);
            }
        }
    }

    /** Two chunks a thread wait at most, so that a slow disk does not fill the memory. */
    private void submit(Callable<ByteBuffer> task, ExecutorService workers) throws IOException {
        if (queue.size() >= 2 * threads) {
            writeFirst();
        }
        queue.add(workers.submit(task));
    }

    private void writeFirst() throws IOException {
        ByteBuffer data = await(queue.remove());
        written += data.remaining();
        target.write(data);
        if (written >= nextUpdate) {
            nextUpdate = written + total / UPDATES;
            if (!progress.onProgress(Math.min(1, (double) written / total))) {
                throw new CancellationException("the conversion was cancelled");
            }
        }
    }

    private static ByteBuffer await(Future<ByteBuffer> task) throws IOException {
        try {
            return task.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("the conversion was interrupted");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof InternalError) {
                throw new LlamaException("The checkpoint's files changed or were cut short while they were read", e);
            }
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            if (e.getCause() instanceof Error cause) {
                throw cause;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    private static ByteBuffer computed(List<Float> values) {
        ByteBuffer data = ByteBuffer.allocate(values.size() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        values.forEach(data::putFloat);
        return data.flip();
    }

    private ByteBuffer convert(PlannedTensor tensor, TensorPart part, long firstRow, int rows) {
        GgmlType format = tensor.format();
        SafetensorsTensor source = part.tensor();
        long rowBytes = (long) part.columns() * source.type().bits() / Byte.SIZE;
        boolean copied = sameFormat(source.type(), format);
        if (copied && part.heads() == 0) {
            return source.slice(part.sourceRow(firstRow) * rowBytes, Math.toIntExact(rows * rowBytes));
        }
        int elements = Math.multiplyExact(rows, part.columns());
        ByteBuffer out = ByteBuffer.allocateDirect(elements / format.blockSize() * format.typeSize());
        if (copied) {
            for (int row = 0; row < rows; row++) {
                out.put(source.slice(part.sourceRow(firstRow + row) * rowBytes, (int) rowBytes));
            }
            return out.flip();
        }
        encode(tensor, part, firstRow, rows, out);
        return out.flip();
    }

    /** Piece by piece, so that what is in between stays in the cache. */
    private void encode(PlannedTensor tensor, TensorPart part, long firstRow, int rows, ByteBuffer out) {
        int columns = part.columns();
        int rowsOfPiece = Math.max(1, PIECE_ELEMENTS / columns);
        float[] values = new float[rowsOfPiece * columns];
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
