package org.panallama.gguf;

import java.nio.ByteBuffer;

/** Reads the types that store each number by itself. */
final class Numbers {

    private static final int F16_EXPONENT = 0x7C00;
    private static final float F16_DENORMAL = 0x1p-24f;

    private Numbers() {}

    static double read(GgmlType type, ByteBuffer data, int at) {
        return switch (type) {
            case F32 -> data.getFloat(at);
            case F64 -> data.getDouble(at);
            case F16 -> half(data.getShort(at));
            case BF16 -> Float.intBitsToFloat(data.getShort(at) << Short.SIZE);
            case I8 -> data.get(at);
            case I16 -> data.getShort(at);
            case I32 -> data.getInt(at);
            case I64 -> data.getLong(at);
            default -> throw new IllegalArgumentException(type + " has no numbers by themselves");
        };
    }

    /** The value of a half-precision number; Float.float16ToFloat comes with JDK 20. */
    static float half(short bits) {
        int exponent = bits & F16_EXPONENT;
        int fraction = bits & 0x3FF;
        float magnitude;
        if (exponent == F16_EXPONENT) {
            magnitude = fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
        } else if (exponent == 0) {
            magnitude = fraction * F16_DENORMAL;
        } else {
            // 127 - 15 = 112 is what the exponents' biases differ by.
            magnitude = Float.intBitsToFloat(((exponent >> 10) + 112) << 23 | fraction << 13);
        }
        return bits < 0 ? -magnitude : magnitude;
    }
}
