package org.panallama.tools.lora;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.panallama.LlamaException;
import org.panallama.gguf.GgmlType;
import org.panallama.tools.convert.FloatEncoder;

/** Computes matrices on several threads, a piece each, and hands the pieces over in order. */
final class MatrixStream implements AutoCloseable {

    /** As floats, half a second-level cache. */
    private static final int CHUNK_ELEMENTS = 1 << 17;

    private static final int WAITING = 4;

    /** Memory for one piece, used again and again. */
    private record Scratch(float[] values, ByteBuffer out) {}

    private final int threads;
    private final ExecutorService workers;

    MatrixStream(int threads) {
        this.threads = threads;
        this.workers = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "panallama-lora");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Takes data in order. */
    @FunctionalInterface
    interface Sink {
        void write(ByteBuffer data) throws IOException;
    }

    /**
     * Writes a matrix.
     *
     * @return whether finite numbers became infinite in the format
     */
    boolean write(Matrix matrix, GgmlType format, Sink sink) throws IOException {
        AtomicBoolean overflow = new AtomicBoolean();
        Deque<Future<Scratch>> queue = new ArrayDeque<>();
        Deque<Scratch> free = new ArrayDeque<>();
        int step = Math.max(1, CHUNK_ELEMENTS / matrix.columns());
        int elements = Math.multiplyExact(step, matrix.columns());
        try {
            for (long row = 0; row < matrix.rows(); row += step) {
                // Some pieces a thread wait at most, so that a slow disk does not fill the memory.
                if (queue.size() >= WAITING * threads) {
                    free.push(writeFirst(queue, sink));
                }
                Scratch scratch = free.isEmpty() ? scratch(elements, format) : free.pop();
                long first = row;
                int rows = (int) Math.min(step, matrix.rows() - row);
                queue.add(workers.submit(() -> encode(matrix, first, rows, format, overflow, scratch)));
            }
            while (!queue.isEmpty()) {
                writeFirst(queue, sink);
            }
        } finally {
            queue.forEach(task -> task.cancel(false));
        }
        return overflow.get();
    }

    private static Scratch scratch(int elements, GgmlType format) {
        return new Scratch(new float[elements], ByteBuffer.allocateDirect(Math.toIntExact(format.bytes(elements))));
    }

    private static Scratch writeFirst(Deque<Future<Scratch>> queue, Sink sink) throws IOException {
        Scratch scratch = await(queue.remove());
        sink.write(scratch.out().flip());
        return scratch;
    }

    private static Scratch encode(
            Matrix matrix, long row, int rows, GgmlType format, AtomicBoolean overflow, Scratch scratch) {
        int elements = rows * matrix.columns();
        matrix.read(row, rows, scratch.values(), 0);
        if (FloatEncoder.encode(
                format, scratch.values(), elements, scratch.out().clear())) {
            overflow.set(true);
        }
        return scratch;
    }

    private static <T> T await(Future<T> task) throws IOException {
        try {
            return task.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("the work was interrupted");
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UncheckedIOException cause) {
                throw cause.getCause();
            }
            if (e.getCause() instanceof InternalError) {
                throw new LlamaException("A file changed or was cut short while it was read", e);
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

    @Override
    public void close() {
        workers.shutdownNow();
    }
}
