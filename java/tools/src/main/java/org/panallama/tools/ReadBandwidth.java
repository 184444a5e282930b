package org.panallama.tools;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** The process that measures how fast some threads can read from memory: sums large arrays, and prints the bytes a second. */
final class ReadBandwidth {

    /** Well beyond the caches, and quick to fill. */
    static final int MEGABYTES = 1024;

    private static final int PASSES = 12;

    private ReadBandwidth() {}

    /** Argument: the number of threads. */
    public static void main(String[] args) throws InterruptedException, ExecutionException {
        int threads = Integer.parseInt(args[0]);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<long[]> parts = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            parts.add(new long[(MEGABYTES << 20) / Long.BYTES / threads]);
        }
        long bytes = parts.stream()
                .mapToLong(part -> (long) part.length * Long.BYTES)
                .sum();
        long sum = 0;
        long best = Long.MAX_VALUE;
        for (int pass = 0; pass < PASSES; pass++) {
            long start = System.nanoTime();
            List<Future<Long>> sums = new ArrayList<>();
            for (long[] part : parts) {
                sums.add(pool.submit(() -> sum(part)));
            }
            for (Future<Long> one : sums) {
                sum += one.get();
            }
            best = Math.min(best, System.nanoTime() - start);
        }
        pool.shutdown();
        // The sum is zero; printed, it cannot be left out of the computation.
        System.out.println("bandwidth " + (bytes * 1e9 / best + sum));
    }

    private static long sum(long[] values) {
        long sum = 0;
        for (long value : values) {
            sum += value;
        }
        return sum;
    }
}
