package org.panallama.tools.convert;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.panallama.gguf.GgmlType;
import org.panallama.tools.safetensors.HalfFloats;

/**
 * Floats to Q8_0: of each 32 a scale in half precision, with which the largest magnitude becomes 127, and a byte for each.
 * What rounds runs over many blocks at once, since a loop over one is too short for vector instructions. For any number of
 * threads.
 */
final class Q8Blocks {

    private static final int BLOCK = GgmlType.Q8_0.blockSize();
    private static final int BLOCK_BYTES = GgmlType.Q8_0.typeSize();

    /** Blocks at a time: what is in between stays in the first-level cache. */
    private static final int BLOCKS = 64;

    private static final VarHandle SHORT = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final ThreadLocal<Q8Blocks> OF_THREAD = ThreadLocal.withInitial(Q8Blocks::new);

    private final float[] values = new float[BLOCKS * BLOCK];
    private final float[] inverses = new float[BLOCKS * BLOCK];
    private final int[] rounded = new int[BLOCKS * BLOCK];
    private final byte[] quants = new byte[BLOCKS * BLOCK];
    private final byte[] blocks = new byte[BLOCKS * BLOCK_BYTES];

    private Q8Blocks() {}

    /**
     * Appends blocks to a buffer.
     *
     * @param count of values; whole blocks
     * @return whether a scale became infinite and its values were not
     */
    static boolean encode(float[] values, int count, ByteBuffer out) {
        Q8Blocks memory = OF_THREAD.get();
        boolean overflow = false;
        for (int done = 0; done < count; done += BLOCKS * BLOCK) {
            int n = Math.min(BLOCKS * BLOCK, count - done);
            System.arraycopy(values, done, memory.values, 0, n);
            overflow |= memory.encode(n);
            out.put(memory.blocks, 0, n / BLOCK * BLOCK_BYTES);
        }
        return overflow;
    }

    private boolean encode(int count) {
        boolean overflow = scale(values, count, inverses, blocks);
        round(values, inverses, rounded, count);
        narrow(rounded, quants, count);
        place(quants, count, blocks);
        return overflow;
    }

    private static boolean scale(float[] values, int count, float[] inverses, byte[] blocks) {
        boolean overflow = false;
        for (int block = 0, to = 0; block < count; block += BLOCK, to += BLOCK_BYTES) {
            float largest = largest(values, block);
            float scale = largest / 127;
            Arrays.fill(inverses, block, block + BLOCK, scale == 0 ? 0 : 1 / scale);
            short half = HalfFloats.plainHalf(scale);
            overflow |= (half & 0x7FFF) >= 0x7C00 && largest < Float.POSITIVE_INFINITY;
            SHORT.set(blocks, to, half);
        }
        return overflow;
    }

    /** Of four at a time, since each maximum waits for the one before it. */
    private static float largest(float[] values, int block) {
        int a = 0;
        int b = 0;
        int c = 0;
        int d = 0;
        for (int i = block; i < block + BLOCK; i += 4) {
            a = Math.max(a, magnitude(values[i]));
            b = Math.max(b, magnitude(values[i + 1]));
            c = Math.max(c, magnitude(values[i + 2]));
            d = Math.max(d, magnitude(values[i + 3]));
        }
        return Float.intBitsToFloat(Math.max(Math.max(a, b), Math.max(c, d)));
    }

    /** Magnitudes are in the order of their bits, and integers have a faster instruction for the larger one. */
    private static int magnitude(float value) {
        return Float.floatToRawIntBits(value) & 0x7FFF_FFFF;
    }

    private static void round(float[] values, float[] inverses, int[] rounded, int count) {
        for (int i = 0; i < count; i++) {
            // Halves away from zero: the sum is exact, since what is scaled is at most 127.
            float scaled = values[i] * inverses[i];
            rounded[i] = (int) (scaled + 0.49999997f * Math.signum(scaled));
        }
    }

    private static void narrow(int[] from, byte[] to, int count) {
        for (int i = 0; i < count; i++) {
            to[i] = (byte) from[i];
        }
    }

    private static void place(byte[] quants, int count, byte[] blocks) {
        for (int block = 0, to = Short.BYTES; block < count; block += BLOCK, to += BLOCK_BYTES) {
            for (int i = 0; i < BLOCK; i += Long.BYTES) {
                LONG.set(blocks, to + i, (long) LONG.get(quants, block + i));
            }
        }
    }
}
