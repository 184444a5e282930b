package org.panallama.gguf;

import java.util.Locale;

/** The types of metadata values; the ordinal is the number in the file. */
public enum GgufType {
    /** Unsigned 8-bit integer. */
    UINT8(1),
    /** Signed 8-bit integer. */
    INT8(1),
    /** Unsigned 16-bit integer. */
    UINT16(2),
    /** Signed 16-bit integer. */
    INT16(2),
    /** Unsigned 32-bit integer. */
    UINT32(4),
    /** Signed 32-bit integer. */
    INT32(4),
    /** Single-precision number. */
    FLOAT32(4),
    /** One byte, 0 or 1. */
    BOOL(1),
    /** Length-prefixed UTF-8. */
    STRING(0),
    /** Elements of one of the other types. */
    ARRAY(0),
    /** Unsigned 64-bit integer. */
    UINT64(8),
    /** Signed 64-bit integer. */
    INT64(8),
    /** Double-precision number. */
    FLOAT64(8);

    private static final GgufType[] VALUES = values();

    private final int bytes;

    GgufType(int bytes) {
        this.bytes = bytes;
    }

    /** Returns the size of a value in bytes, 0 where it varies. */
    public int bytes() {
        return bytes;
    }

    /** Returns whether values are whole numbers. */
    public boolean isInteger() {
        return bytes > 0 && this != FLOAT32 && this != FLOAT64 && this != BOOL;
    }

    /** Returns whether values are whole numbers or floating-point numbers. */
    public boolean isNumber() {
        return isInteger() || this == FLOAT32 || this == FLOAT64;
    }

    /** Returns the short name that llama.cpp's tools print: {@code u32}, {@code f32}, {@code str}, {@code arr}. */
    public String shortName() {
        return switch (this) {
            case STRING -> "str";
            case ARRAY -> "arr";
            case BOOL -> "bool";
            default -> name().substring(0, 1).toLowerCase(Locale.ROOT) + 8 * bytes;
        };
    }

    /**
     * Returns the type with a number.
     *
     * @param id the number that files use
     * @throws IllegalArgumentException if the specification has no such type
     */
    public static GgufType of(int id) {
        if (!isKnown(id)) {
            throw new IllegalArgumentException("unknown value type " + Integer.toUnsignedString(id)
                    + ", the specification has 0 to " + (VALUES.length - 1));
        }
        return VALUES[id];
    }

    /** Returns whether a file may use this number for a type. */
    static boolean isKnown(int id) {
        return id >= 0 && id < VALUES.length;
    }
}
