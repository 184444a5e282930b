package org.panallama.tools.convert;

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
import org.panallama.LlamaException;

/**
 * Several threads make chunks of data, and the calling thread writes them in order. Memory is bounded and used again: fresh
 * pages for every chunk would cost more than what is computed. For one thread at a time.
 */
public final class ChunkPipeline implements AutoCloseable {

    /**
     * Elements to make a chunk of, more or less: enough that handing it over costs nothing beside making it, and few enough
     * that it is still in the processor's last cache when it is written.
     */
    public static final int ELEMENTS = 1 << 19;

    /** Chunks that may wait besides those being made, so that a slow disk does not fill the memory. */
    private static final int WAITING = 4;

    private final int most;
    private final ExecutorService workers;
    private final Deque<Chunk> queue = new ArrayDeque<>();
    private final Deque<Scratch> free = new ArrayDeque<>();

    /** Starts threads. */
    public ChunkPipeline(int threads) {
        most = WAITING + threads;
        workers = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "panallama-chunks");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** Makes a chunk, on one of the threads. */
    @FunctionalInterface
    public interface Maker {
        /** Returns data between position and limit: a buffer of the scratch, or one of its own that nobody changes. */
        ByteBuffer make(Scratch scratch);
    }

    /** Takes data in order. */
    @FunctionalInterface
    public interface Sink {
        /** Takes all that remains in a buffer. */
        void write(ByteBuffer data) throws IOException;
    }

    /** Memory for making a chunk, with whatever an earlier one left in it. */
    public static final class Scratch {

        // Numbers are not needed any more once the chunk is made: a thread uses the same for all of its chunks.
        private static final ThreadLocal<float[]> FLOATS = ThreadLocal.withInitial(() -> new float[0]);

        private ByteBuffer bytes = ByteBuffer.allocate(0);

        private Scratch() {}

        /** At least so many numbers. */
        public float[] floats(int count) {
            float[] floats = FLOATS.get();
            if (floats.length < count) {
                floats = new float[count];
                FLOATS.set(floats);
            }
            return floats;
        }

        /** An empty buffer for so many bytes. */
        public ByteBuffer bytes(int count) {
            if (bytes.capacity() < count) {
                bytes = ByteBuffer.allocateDirect(count);
            }
            return bytes.clear().limit(count);
        }
    }

    private record Chunk(Scratch scratch, Future<ByteBuffer> data, Sink sink) {}

    /**
     * Has a chunk made, and writes those in front of it if too many wait.
     *
     * @throws IOException if one of these cannot be made or written
     */
    public void add(Maker maker, Sink sink) throws IOException {
        if (queue.size() >= most) {
            writeFirst();
        }
        Scratch scratch = free.isEmpty() ? new Scratch() : free.pop();
        queue.add(new Chunk(scratch, workers.submit(() -> maker.make(scratch)), sink));
    }

    /**
     * Writes all that is still to be written.
     *
     * @throws IOException if something cannot be made or written
     */
    public void drain() throws IOException {
        while (!queue.isEmpty()) {
            writeFirst();
        }
    }

    private void writeFirst() throws IOException {
        Chunk chunk = queue.remove();
        chunk.sink.write(await(chunk.data));
        free.push(chunk.scratch);
    }

    private static ByteBuffer await(Future<ByteBuffer> data) throws IOException {
        try {
            return data.get();
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

    /** Ends the threads; what was not written is dropped. */
    @Override
    public void close() {
        workers.shutdownNow();
    }
}
