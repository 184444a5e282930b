package org.panallama.tools.convert;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.panallama.gguf.GgmlType;
import org.panallama.tools.safetensors.HalfFloats;

/**
 * Writes floats in ggml's formats, bit for bit as ggml does. The loops run over arrays and have no branches, so that the
 * compiler makes vector instructions of them.
 */
public final class FloatEncoder {

    private static final int BLOCK = 32;
    private static final int BLOCK_BYTES = 2 + BLOCK;

    private FloatEncoder() {}

    /**
     * Appends elements to a buffer.
     *
     * @param format F32, F16, BF16 or Q8_0
     * @param values the elements, from the first on
     * @param count of elements; whole blocks
     * @param out gets them at its position, little-endian
     * @return whether finite elements became infinite
     * @throws IllegalArgumentException if it is another format
     */
    public static boolean encode(GgmlType format, float[] values, int count, ByteBuffer out) {
        out.order(ByteOrder.LITTLE_ENDIAN);
        switch (format) {
            case F32 -> {
                out.asFloatBuffer().put(values, 0, count);
                out.position(out.position() + count * Float.BYTES);
                return false;
            }
            case F16 -> {
                return HalfFloats.toF16(values, count, out);
            }
            case BF16 -> {
                HalfFloats.toBf16(values, count, out);
                return false;
            }
            case Q8_0 -> {
                return q8(values, count, out);
            }
            default -> throw new IllegalArgumentException("format is " + format + ", must be F32, F16, BF16 or Q8_0");
        }
    }

    /** The largest magnitude of a block becomes 127. */
    private static boolean q8(float[] values, int count, ByteBuffer out) {
        float[] inverses = new float[count];
        byte[] blocks = new byte[count / BLOCK * BLOCK_BYTES];
        boolean overflow = false;
        for (int block = 0, to = 0; block < count; block += BLOCK, to += BLOCK_BYTES) {
            float largest = largest(values, block);
            float scale = largest / 127;
            Arrays.fill(inverses, block, block + BLOCK, scale == 0 ? 0 : 1 / scale);
            short half = HalfFloats.plainHalf(scale);
            overflow |= (half & 0x7FFF) >= 0x7C00 && largest < Float.POSITIVE_INFINITY;
            blocks[to] = (byte) half;
            blocks[to + 1] = (byte) (half >> 8);
        }
        // Loops over all blocks at once, which are long enough for vector instructions.
        int[] rounded = new int[count];
        for (int i = 0; i < count; i++) {
            // Halves away from zero: the sum is exact, since what is scaled is at most 127.
            float scaled = values[i] * inverses[i];
            rounded[i] = (int) (scaled + 0.49999997f * Math.signum(scaled));
        }
        for (int block = 0, to = 2; block < count; block += BLOCK, to += BLOCK_BYTES) {
            for (int i = 0; i < BLOCK; i++) {
                blocks[to + i] = (byte) rounded[block + i];
            }
        }
        out.put(blocks);
        return overflow;
    }

    /** Magnitudes are in the order of their bits, and integers have a faster instruction for the larger one. */
    private static float largest(float[] values, int block) {
        int bits = 0;
        for (int i = block; i < block + BLOCK; i++) {
            bits = Math.max(bits, Float.floatToRawIntBits(values[i]) & 0x7FFF_FFFF);
        }
        return Float.intBitsToFloat(bits);
    }
}
