package org.panallama.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.panallama.spi.MetadataParam;

/**
 * One metadata value: a scalar, or an array that stays in its file encoding until elements are asked for, so that a
 * vocabulary of a quarter million strings costs a few megabytes.
 */
public final class GgufValue {
    private final GgufType type;
    private final boolean array;
    private final int length;
    private final ByteBuffer data;
    private final int[] ends;

    private GgufValue(GgufType type, boolean array, int length, byte[] data, int[] ends) {
        this.type = type;
        this.array = array;
        this.length = length;
        this.data = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        this.ends = ends;
    }

    /** Creates a value from {@code length} little-endian elements of a fixed-size type. */
    static GgufValue fixed(GgufType type, boolean array, int length, byte[] data) {
        return new GgufValue(type, array, length, data, new int[0]);
    }

    /** Creates a value from strings laid end to end; {@code ends[i]} is where the string i ends in {@code data}. */
    static GgufValue strings(boolean array, byte[] data, int[] ends) {
        return new GgufValue(GgufType.STRING, array, ends.length, data, ends);
    }

    /** Creates the value that llama.cpp takes where metadata is overridden. */
    static GgufValue of(MetadataParam override) {
        ByteBuffer data = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        switch (override.tag()) {
            case 0:
                return fixed(
                        GgufType.UINT32,
                        false,
                        1,
                        data.putInt((int) override.integer()).array());
            case 1:
                return fixed(
                        GgufType.FLOAT32,
                        false,
                        1,
                        data.putFloat((float) override.real()).array());
            case 2:
                return fixed(GgufType.BOOL, false, 1, new byte[] {(byte) (override.flag() ? 1 : 0)});
            default:
                byte[] text = override.text().getBytes(StandardCharsets.UTF_8);
                return strings(false, text, new int[] {text.length});
        }
    }

    /** Returns the type of the scalar or of the array's elements. */
    public GgufType type() {
        return type;
    }

    /** Returns whether this is an array. */
    public boolean isArray() {
        return array;
    }

    /** Returns the number of elements, 1 for a scalar. */
    public int length() {
        return length;
    }

    /** Returns whether this is a scalar of the given type. */
    public boolean is(GgufType scalarType) {
        return !array && type == scalarType;
    }

    /** Returns whether this is an array with elements of the given type. */
    public boolean isArrayOf(GgufType elementType) {
        return array && type == elementType;
    }

    /**
     * Returns element {@code i} as an integer; {@code UINT64} wraps to negative, booleans are 0 or 1.
     *
     * @throws IllegalStateException if the elements are strings or floating-point numbers
     */
    public long integer(int i) {
        return switch (type) {
            case UINT8 -> Byte.toUnsignedLong(data.get(i));
            case INT8 -> data.get(i);
            case UINT16 -> Short.toUnsignedLong(data.getShort(2 * i));
            case INT16 -> data.getShort(2 * i);
            case UINT32 -> Integer.toUnsignedLong(data.getInt(4 * i));
            case INT32 -> data.getInt(4 * i);
            case UINT64, INT64 -> data.getLong(8 * i);
            case BOOL -> data.get(i) == 0 ? 0 : 1;
            default -> throw new IllegalStateException(this + " is not an integer");
        };
    }

    /**
     * Returns element {@code i} as a number.
     *
     * @throws IllegalStateException if the elements are strings
     */
    public double number(int i) {
        return switch (type) {
            case FLOAT32 -> data.getFloat(4 * i);
            case FLOAT64 -> data.getDouble(8 * i);
            default -> integer(i);
        };
    }

    /**
     * Returns string {@code i}; malformed UTF-8 is replaced.
     *
     * @throws IllegalStateException if the elements are not strings
     */
    public String string(int i) {
        int start = start(i);
        return new String(data.array(), start, ends[i] - start, StandardCharsets.UTF_8);
    }

    /** Returns the bytes of string {@code i} up to its first NUL, which is all that C code sees of it. */
    ByteBuffer cString(int i) {
        int start = start(i);
        int end = start;
        while (end < ends[i] && data.get(end) != 0) {
            end++;
        }
        return data.slice(start, end - start);
    }

    /** Returns whether string {@code i} holds a NUL byte. */
    boolean hasNul(int i) {
        return cString(i).remaining() < ends[i] - start(i);
    }

    private int start(int i) {
        if (type != GgufType.STRING) {
            throw new IllegalStateException(this + " is not a string");
        }
        return i == 0 ? 0 : ends[i - 1];
    }

    /** Returns the type, and for arrays the length. */
    @Override
    public String toString() {
        return array ? "array of " + length + " " + type : type.toString();
    }
}
