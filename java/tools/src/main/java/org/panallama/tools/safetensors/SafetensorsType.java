package org.panallama.tools.safetensors;

import java.util.Locale;

/** The formats of elements; the constant's name is the one that stands in files. */
public enum SafetensorsType {
    /** Truth values, a byte each, 0 or 1. */
    BOOL(8),
    /** Floats of 4 bits, two in a byte. */
    F4(4),
    /** Floats of 6 bits: 2 of exponent, 3 of mantissa. */
    F6_E2M3(6),
    /** Floats of 6 bits: 3 of exponent, 2 of mantissa. */
    F6_E3M2(6),
    /** Unsigned integers of 8 bits. */
    U8(8),
    /** Signed integers of 8 bits. */
    I8(8),
    /** Floats of 8 bits: 5 of exponent, 2 of mantissa, with infinities. */
    F8_E5M2(8),
    /** Floats of 8 bits: 4 of exponent, 3 of mantissa, without infinities. */
    F8_E4M3(8),
    /** Powers of two, the exponent in 8 bits. */
    F8_E8M0(8),
    /** Signed integers of 16 bits. */
    I16(16),
    /** Unsigned integers of 16 bits. */
    U16(16),
    /** IEEE half precision. */
    F16(16),
    /** The upper half of single precision. */
    BF16(16),
    /** Signed integers of 32 bits. */
    I32(32),
    /** Unsigned integers of 32 bits. */
    U32(32),
    /** IEEE single precision. */
    F32(32),
    /** Complex numbers of two single-precision floats. */
    C64(64),
    /** IEEE double precision. */
    F64(64),
    /** Signed integers of 64 bits. */
    I64(64),
    /** Unsigned integers of 64 bits. */
    U64(64);

    private final int bits;

    SafetensorsType(int bits) {
        this.bits = bits;
    }

    /** Bits of one element. */
    public int bits() {
        return bits;
    }

    /** Whether {@link SafetensorsTensor#floats} can read it: all but the types of less than 8 bits, complex and U64. */
    public boolean readable() {
        return bits >= 8 && this != C64 && this != U64 && this != F8_E8M0;
    }

    /** The name as programmers write it, for instance {@code bf16}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
