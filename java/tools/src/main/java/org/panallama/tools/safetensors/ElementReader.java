package org.panallama.tools.safetensors;

import java.nio.ByteBuffer;
import java.nio.LongBuffer;

/** Turns elements into floats. Arrays in between, since loops over arrays become vector instructions, and those over buffers do not. */
public final class ElementReader {

    /** Elements at a time: what is in between stays in the first-level cache. */
    static final int CHUNK = 4096;

    private static final float[] E4M3 = eightBits(4, 3, false);
    private static final float[] E5M2 = eightBits(5, 2, true);

    private ElementReader() {}

    /**
     * Reads elements.
     *
     * @param type their format
     * @param data begins with the first, little-endian
     * @param target where they go
     * @param start index of the first in the target
     * @param count how many
     * @throws IllegalArgumentException if the type is not {@linkplain SafetensorsType#readable() readable}
     */
    public static void read(SafetensorsType type, ByteBuffer data, float[] target, int start, int count) {
        switch (type) {
            case F32 -> data.asFloatBuffer().get(target, start, count);
            case F16 -> HalfFloats.fromF16(data, target, start, count);
            case BF16 -> HalfFloats.fromBf16(data, target, start, count);
            case I16 -> {
                short[] values = shorts(data, count);
                for (int i = 0; i < count; i++) {
                    target[start + i] = values[i];
                }
            }
            case U16 -> {
                short[] values = shorts(data, count);
                for (int i = 0; i < count; i++) {
                    target[start + i] = values[i] & 0xFFFF;
                }
            }
            case I32, U32 -> {
                long mask = type == SafetensorsType.U32 ? 0xFFFF_FFFFL : -1L;
                for (int i = 0; i < count; i++) {
                    target[start + i] = data.getInt(i * Integer.BYTES) & mask;
                }
            }
            case I64 -> {
                LongBuffer values = data.asLongBuffer();
                for (int i = 0; i < count; i++) {
                    target[start + i] = values.get(i);
                }
            }
            case F64 -> {
                for (int i = 0; i < count; i++) {
                    target[start + i] = (float) data.getDouble(i * Double.BYTES);
                }
            }
            case I8 -> {
                for (int i = 0; i < count; i++) {
                    target[start + i] = data.get(i);
                }
            }
            case BOOL, U8 -> {
                for (int i = 0; i < count; i++) {
                    target[start + i] = data.get(i) & 0xFF;
                }
            }
            case F8_E4M3 -> table(E4M3, data, target, start, count);
            case F8_E5M2 -> table(E5M2, data, target, start, count);
            default -> throw new IllegalArgumentException("type is " + type + ", which has no floats");
        }
    }

    private static short[] shorts(ByteBuffer data, int count) {
        short[] values = new short[count];
        data.asShortBuffer().get(values);
        return values;
    }

    private static void table(float[] table, ByteBuffer data, float[] target, int start, int count) {
        for (int i = 0; i < count; i++) {
            target[start + i] = table[data.get(i) & 0xFF];
        }
    }

    /** See Micikevicius et al. 2022, FP8 Formats for Deep Learning, arXiv 2209.05433. */
    private static float[] eightBits(int exponentBits, int mantissaBits, boolean infinities) {
        int bias = (1 << (exponentBits - 1)) - 1;
        int highest = (1 << exponentBits) - 1;
        int mantissas = 1 << mantissaBits;
        float[] table = new float[256];
        for (int code = 0; code < table.length; code++) {
            int exponent = code >> mantissaBits & highest;
            int mantissa = code & (mantissas - 1);
            double magnitude;
            if (exponent == highest && (infinities || mantissa == mantissas - 1)) {
                magnitude = infinities && mantissa == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
            } else if (exponent == 0) {
                magnitude = Math.scalb((double) mantissa / mantissas, 1 - bias);
            } else {
                magnitude = Math.scalb(1 + (double) mantissa / mantissas, exponent - bias);
            }
            table[code] = (float) (code >= 128 ? -magnitude : magnitude);
        }
        return table;
    }
}
