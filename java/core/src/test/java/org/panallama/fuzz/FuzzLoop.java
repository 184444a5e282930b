package org.panallama.fuzz;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.function.Function;

/**
 * Gives a reader damaged files, one after the other: each is read or refused, without any other error, without a hang, and
 * without allocating more than a multiple of the file's size.
 *
 * <p>{@code -Dpanallama.fuzz.cases=2000000} tries more, {@code -Dpanallama.fuzz.first=N} begins with case N, which is the same
 * in every run.
 */
public final class FuzzLoop {

    // Machines stand still at times; what hangs does so for longer.
    private static final int SECONDS_PER_CASE = 120;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** Reads a file. */
    @FunctionalInterface
    public interface Reader {

        /**
         * Returns whether the file was read, {@code false} where it was refused in the way that the reader documents;
         * throws whatever else happens.
         */
        boolean read(byte[] file) throws Exception;
    }

    /** What became of the cases. */
    public record Outcome(long read, long refused) {}

    private final Function<Random, byte[]> damage;
    private final Reader reader;
    private final int baseBytes;
    private final int bytesPerByte;
    private final long end;
    private volatile long current;
    private volatile Throwable failure;
    private long refused;
    private long mostAllocated;

    private FuzzLoop(
            Function<Random, byte[]> damage, Reader reader, int baseBytes, int bytesPerByte, long first, long end) {
        this.damage = damage;
        this.reader = reader;
        this.baseBytes = baseBytes;
        this.bytesPerByte = bytesPerByte;
        this.current = first;
        this.end = end;
    }

    /**
     * Runs the cases.
     *
     * @param cases how many, unless the system property says otherwise
     * @param damage makes a file from random numbers
     * @param baseBytes what may be allocated for a file of any size
     * @param bytesPerByte what may be allocated for each byte of the file
     */
    public static Outcome run(
            int cases, Function<Random, byte[]> damage, int baseBytes, int bytesPerByte, Reader reader)
            throws InterruptedException {
        long first = Long.getLong("panallama.fuzz.first", 0);
        long count = Long.getLong("panallama.fuzz.cases", cases);
        FuzzLoop loop = new FuzzLoop(damage, reader, baseBytes, bytesPerByte, first, first + count);
        Thread worker = new Thread(loop::work, "fuzz");
        worker.setDaemon(true);
        worker.start();
        loop.await(worker);
        System.out.println(count + " damaged files: " + (count - loop.refused) + " read, " + loop.refused
                + " refused; at most " + loop.mostAllocated + " bytes allocated for one");
        return new Outcome(count - loop.refused, loop.refused);
    }

    /** Writes a file anew: one that is emptied and filled again goes to the disk at once, which takes ext4 milliseconds. */
    public static void put(Path file, byte[] content) throws IOException {
        Files.deleteIfExists(file);
        Files.write(file, content);
    }

    private void await(Thread worker) throws InterruptedException {
        long seen = -1;
        while (worker.isAlive()) {
            worker.join(SECONDS_PER_CASE * 1000L);
            if (worker.isAlive() && current == seen) {
                AssertionError hang = new AssertionError(failed("took longer than " + SECONDS_PER_CASE + " s"));
                hang.setStackTrace(worker.getStackTrace());
                throw hang;
            }
            seen = current;
        }
        if (failure != null) {
            throw new AssertionError(failed("failed"), failure);
        }
    }

    private String failed(String how) {
        return "case " + current + " " + how + "; -Dpanallama.fuzz.first=" + current
                + " -Dpanallama.fuzz.cases=1 runs it alone";
    }

    private void work() {
        try {
            while (current < end) {
                byte[] file = damage.apply(new Random(current * 0x9E3779B97F4A7C15L));
                if (!read(file)) {
                    refused++;
                }
                current++;
            }
        } catch (Throwable e) {
            failure = e;
        }
    }

    private boolean read(byte[] file) throws Exception {
        long limit = baseBytes + (long) bytesPerByte * file.length;
        long allocated = 0;
        // What code does for the first time allocates for itself: the second attempt tells, or the third.
        for (int attempt = 0; attempt < 3; attempt++) {
            long before = THREADS.getCurrentThreadAllocatedBytes();
            boolean read = reader.read(file);
            allocated = THREADS.getCurrentThreadAllocatedBytes() - before;
            if (allocated <= limit) {
                mostAllocated = Math.max(mostAllocated, allocated);
                return read;
            }
        }
        throw new AssertionError(
                "a file of " + file.length + " bytes allocated " + allocated + ", at most " + limit + " are allowed");
    }
}
