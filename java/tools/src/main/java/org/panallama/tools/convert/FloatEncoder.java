package org.panallama.tools.convert;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.panallama.gguf.GgmlType;

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
                return f16(values, count, out);
            }
            case BF16 -> {
                bf16(values, count, out);
                return false;
            }
            case Q8_0 -> {
                return q8(values, count, out);
            }
            default -> throw new IllegalArgumentException("format is " + format + ", must be F32, F16, BF16 or Q8_0");
        }
    }

    private static boolean f16(float[] values, int count, ByteBuffer out) {
        short[] halves = new short[count];
        float largest = 0;
        for (int i = 0; i < count; i++) {
            halves[i] = half(values[i]);
        }
        for (int i = 0; i < count; i++) {
            float magnitude = Math.abs(values[i]);
            largest = Math.max(largest, magnitude < Float.POSITIVE_INFINITY ? magnitude : 0);
        }
        put(halves, out);
        return largest >= 65520; // half-way to the number after the last
    }

    private static void bf16(float[] values, int count, ByteBuffer out) {
        short[] upper = new short[count];
        for (int i = 0; i < count; i++) {
            int bits = Float.floatToRawIntBits(values[i]);
            int rounded = bits + 0x7FFF + (bits >>> 16 & 1) >>> 16;
            int quietNan = bits >>> 16 | 0x40;
            upper[i] = (short) ((bits & 0x7FFF_FFFF) > 0x7F80_0000 ? quietNan : rounded);
        }
        put(upper, out);
    }

    private static void put(short[] values, ByteBuffer out) {
        out.asShortBuffer().put(values);
        out.position(out.position() + values.length * Short.BYTES);
    }

    /**
     * Rounds to the nearest half, ties to even. Normal numbers: the exponent is rebased and 13 bits are rounded off.
     * Subnormal ones: adding a half, whose last bit is worth the smallest half-precision number, rounds at the right place.
     */
    static short half(float value) {
        int bits = Float.floatToRawIntBits(value);
        int magnitude = bits & 0x7FFF_FFFF;
        int normal = Math.min(magnitude - 0x3800_0000 + 0xFFF + (magnitude >>> 13 & 1) >> 13, 0x7C00);
        int subnormal = Float.floatToRawIntBits(Float.intBitsToFloat(magnitude) + 0.5f) - 0x3F00_0000;
        int finite = magnitude < 0x3880_0000 ? subnormal : normal;
        return (short) (bits >>> 16 & 0x8000 | (magnitude > 0x7F80_0000 ? 0x7E00 : finite));
    }

    /** The largest magnitude of a block becomes 127. */
    private static boolean q8(float[] values, int count, ByteBuffer out) {
        byte[] blocks = new byte[count / BLOCK * BLOCK_BYTES];
        boolean overflow = false;
        for (int block = 0, to = 0; block < count; block += BLOCK, to += BLOCK_BYTES) {
            // Magnitudes are in the order of their bits, and integers have a vector instruction for the larger one.
            int bits = 0;
            for (int i = block; i < block + BLOCK; i++) {
                bits = Math.max(bits, Float.floatToRawIntBits(values[i]) & 0x7FFF_FFFF);
            }
            float largest = Float.intBitsToFloat(bits);
            float scale = largest / 127;
            float inverse = scale == 0 ? 0 : 1 / scale;
            short half = half(scale);
            overflow |= (half & 0x7FFF) >= 0x7C00 && largest < Float.POSITIVE_INFINITY;
            blocks[to] = (byte) half;
            blocks[to + 1] = (byte) (half >> 8);
            for (int i = 0; i < BLOCK; i++) {
                float scaled = values[block + i] * inverse;
                // Halves away from zero: the sum is exact, since what is scaled is at most 127.
                blocks[to + 2 + i] = (byte) (int) (scaled + Math.copySign(0.49999997f, scaled));
            }
        }
        out.put(blocks);
        return overflow;
    }
}
