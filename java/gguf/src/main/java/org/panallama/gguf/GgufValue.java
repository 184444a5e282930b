package org.panallama.gguf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.RandomAccess;
import org.jspecify.annotations.Nullable;

/**
 * A metadata value of a GGUF file: a scalar, or an array of scalars of one type. Immutable and safe for several
 * threads. It keeps the encoding of the file, so that a vocabulary of a quarter million strings costs a few megabytes.
 */
public final class GgufValue {

    /** Type and number of the elements, in front of an array's elements. */
    static final int ARRAY_HEADER = Integer.BYTES + Long.BYTES;

    private final GgufType type;
    private final byte[] encoded; // little-endian, whatever the file is
    private volatile int @Nullable [] starts; // of the strings of an array, made when first asked for

    private GgufValue(GgufType type, byte[] encoded) {
        this.type = type;
        this.encoded = encoded;
    }

    /** Wraps a value as it stands in a little-endian file behind the number of its type. */
    static GgufValue encoded(GgufType type, byte[] encoded) {
        return new GgufValue(type, encoded);
    }

    /**
     * An integer.
     *
     * @param type one of the integer types
     * @param value as signed bits where the type is {@link GgufType#UINT64}
     * @throws IllegalArgumentException if the type has no such value, or is none of the integer types
     */
    public static GgufValue integer(GgufType type, long value) {
        return ints(type, false, value);
    }

    /**
     * An array of integers.
     *
     * @param element one of the integer types
     * @param values as signed bits where the type is {@link GgufType#UINT64}
     * @throws IllegalArgumentException if the type lacks one of the values, or is none of the integer types
     */
    public static GgufValue integers(GgufType element, long... values) {
        return ints(element, true, values);
    }

    private static GgufValue ints(GgufType element, boolean array, long... values) {
        if (!element.isInteger()) {
            throw new IllegalArgumentException("type is " + element + ", must be an integer type");
        }
        ByteBuffer data = buffer(element, array, values.length);
        for (long value : values) {
            IntegerRange.check(element, value);
            switch (element.bytes()) {
                case Byte.BYTES -> data.put((byte) value);
                case Short.BYTES -> data.putShort((short) value);
                case Integer.BYTES -> data.putInt((int) value);
                default -> data.putLong(value);
            }
        }
        return new GgufValue(array ? GgufType.ARRAY : element, data.array());
    }

    /**
     * An unsigned integer of 32 bits, the type of nearly all sizes and token ids.
     *
     * @throws IllegalArgumentException if the value is not from 0 to 4294967295
     */
    public static GgufValue uint32(long value) {
        return integer(GgufType.UINT32, value);
    }

    /** A signed integer of 32 bits. */
    public static GgufValue int32(int value) {
        return integer(GgufType.INT32, value);
    }

    /** A single-precision number. */
    public static GgufValue float32(float value) {
        return new GgufValue(
                GgufType.FLOAT32, little(Float.BYTES).putFloat(value).array());
    }

    /** A double-precision number. */
    public static GgufValue float64(double value) {
        return new GgufValue(
                GgufType.FLOAT64, little(Double.BYTES).putDouble(value).array());
    }

    /** A truth value. */
    public static GgufValue bool(boolean value) {
        return new GgufValue(GgufType.BOOL, new byte[] {(byte) (value ? 1 : 0)});
    }

    /** A text. */
    public static GgufValue string(String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        return new GgufValue(
                GgufType.STRING,
                little(Long.BYTES + utf8.length).putLong(utf8.length).put(utf8).array());
    }

    /** An array of signed integers of 32 bits. */
    public static GgufValue int32s(int... values) {
        ByteBuffer data = buffer(GgufType.INT32, true, values.length);
        data.asIntBuffer().put(values);
        return new GgufValue(GgufType.ARRAY, data.array());
    }

    /** An array of single-precision numbers. */
    public static GgufValue float32s(float... values) {
        ByteBuffer data = buffer(GgufType.FLOAT32, true, values.length);
        data.asFloatBuffer().put(values);
        return new GgufValue(GgufType.ARRAY, data.array());
    }

    /** An array of double-precision numbers. */
    public static GgufValue float64s(double... values) {
        ByteBuffer data = buffer(GgufType.FLOAT64, true, values.length);
        data.asDoubleBuffer().put(values);
        return new GgufValue(GgufType.ARRAY, data.array());
    }

    /** An array of truth values. */
    public static GgufValue bools(boolean... values) {
        ByteBuffer data = buffer(GgufType.BOOL, true, values.length);
        for (boolean value : values) {
            data.put((byte) (value ? 1 : 0));
        }
        return new GgufValue(GgufType.ARRAY, data.array());
    }

    /** An array of texts. */
    public static GgufValue strings(List<String> values) {
        List<byte[]> texts = values.stream()
                .map(text -> text.getBytes(StandardCharsets.UTF_8))
                .toList();
        long size = texts.stream().mapToLong(text -> Long.BYTES + text.length).sum();
        ByteBuffer data = little(Math.toIntExact(ARRAY_HEADER + size));
        data.putInt(GgufType.STRING.ordinal()).putLong(texts.size());
        texts.forEach(text -> data.putLong(text.length).put(text));
        return new GgufValue(GgufType.ARRAY, data.array());
    }

    /** The type; {@link GgufType#ARRAY} for every array. */
    public GgufType type() {
        return type;
    }

    /** Returns whether this is an array. */
    public boolean isArray() {
        return type == GgufType.ARRAY;
    }

    /** Returns the type of an array's elements, or of the scalar. */
    public GgufType elementType() {
        return isArray() ? GgufType.of(data().getInt(0)) : type;
    }

    /** Returns the number of an array's elements, 1 for a scalar. */
    public int length() {
        return isArray() ? (int) data().getLong(Integer.BYTES) : 1;
    }

    /**
     * Returns a scalar integer; {@link GgufType#UINT64} comes as signed bits.
     *
     * @throws IllegalStateException if this is anything else
     */
    public long integer() {
        return scalar().integer(0);
    }

    /**
     * Returns a scalar number, integers included.
     *
     * @throws IllegalStateException if this is anything else
     */
    public double number() {
        return scalar().number(0);
    }

    /**
     * Returns a scalar truth value.
     *
     * @throws IllegalStateException if this is anything else
     */
    public boolean bool() {
        return scalar().bool(0);
    }

    /**
     * Returns a scalar text; invalid UTF-8 is replaced.
     *
     * @throws IllegalStateException if this is anything else
     */
    public String string() {
        return scalar().string(0);
    }

    /**
     * Returns integer {@code i} of an array, or the scalar as element 0; {@link GgufType#UINT64} comes as signed bits.
     *
     * @throws IllegalStateException if the elements are not integers
     * @throws IndexOutOfBoundsException if there is no such element
     */
    public long integer(int i) {
        ByteBuffer data = data();
        GgufType element = elementType();
        int at = at(element, i);
        return switch (element) {
            case UINT8 -> Byte.toUnsignedLong(data.get(at));
            case INT8 -> data.get(at);
            case UINT16 -> Short.toUnsignedLong(data.getShort(at));
            case INT16 -> data.getShort(at);
            case UINT32 -> Integer.toUnsignedLong(data.getInt(at));
            case INT32 -> data.getInt(at);
            case UINT64, INT64 -> data.getLong(at);
            default -> throw wrong("an integer");
        };
    }

    /**
     * Returns number {@code i} of an array, or the scalar as element 0.
     *
     * @throws IllegalStateException if the elements are not numbers
     * @throws IndexOutOfBoundsException if there is no such element
     */
    public double number(int i) {
        GgufType element = elementType();
        return switch (element) {
            case FLOAT32 -> data().getFloat(at(element, i));
            case FLOAT64 -> data().getDouble(at(element, i));
            default -> {
                if (!element.isInteger()) {
                    throw wrong("a number");
                }
                yield integer(i);
            }
        };
    }

    /**
     * Returns truth value {@code i} of an array, or the scalar as element 0.
     *
     * @throws IllegalStateException if the elements are not of type {@link GgufType#BOOL}
     * @throws IndexOutOfBoundsException if there is no such element
     */
    public boolean bool(int i) {
        if (elementType() != GgufType.BOOL) {
            throw wrong("a bool");
        }
        return data().get(at(GgufType.BOOL, i)) != 0;
    }

    /**
     * Returns text {@code i} of an array, or the scalar as element 0; invalid UTF-8 is replaced.
     *
     * @throws IllegalStateException if the elements are not texts
     * @throws IndexOutOfBoundsException if there is no such element
     */
    public String string(int i) {
        int start = start(i);
        return new String(encoded, start + Long.BYTES, Math.toIntExact(data().getLong(start)), StandardCharsets.UTF_8);
    }

    /**
     * Returns the bytes of text {@code i}, which need not be UTF-8.
     *
     * @throws IllegalStateException if the elements are not texts
     * @throws IndexOutOfBoundsException if there is no such element
     */
    public byte[] stringBytes(int i) {
        int start = start(i);
        int from = start + Long.BYTES;
        return Arrays.copyOfRange(encoded, from, from + Math.toIntExact(data().getLong(start)));
    }

    /**
     * Returns the integers of an array, in a new array.
     *
     * @throws IllegalStateException if the elements are not integers, or too large
     */
    public int[] ints() {
        int[] values = new int[length()];
        for (int i = 0; i < values.length; i++) {
            long value = integer(i);
            if (value != (int) value) {
                throw new IllegalStateException("element " + i + " of " + describe() + " is " + value
                        + ", which does not fit in a signed integer of 32 bits");
            }
            values[i] = (int) value;
        }
        return values;
    }

    /**
     * Returns the numbers of an array as single-precision ones, in a new array.
     *
     * @throws IllegalStateException if the elements are not numbers
     */
    public float[] floats() {
        float[] values = new float[length()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) number(i);
        }
        return values;
    }

    /**
     * Returns the texts of an array, as an unmodifiable view that decodes a text each time it is asked for.
     *
     * @throws IllegalStateException if the elements are not texts
     */
    public List<String> strings() {
        if (elementType() != GgufType.STRING) {
            throw wrong("texts");
        }
        return Collections.unmodifiableList(new Strings());
    }

    /** Returns the type, and for arrays the number and type of the elements: {@code array of 3 INT32}. */
    public String describe() {
        return isArray() ? "array of " + length() + " " + elementType() : type.toString();
    }

    /** Returns {@link #describe()} and, for scalars, the value. */
    @Override
    public String toString() {
        return switch (type) {
            case ARRAY -> describe();
            case STRING -> "STRING '" + string() + "'";
            case BOOL -> "BOOL " + bool();
            case UINT64 -> "UINT64 " + Long.toUnsignedString(integer());
            case FLOAT32 -> "FLOAT32 " + (float) number();
            case FLOAT64 -> "FLOAT64 " + number();
            default -> type + " " + integer();
        };
    }

    /** Whether the other has the same type and the same bytes. */
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof GgufValue that && type == that.type && Arrays.equals(encoded, that.encoded);
    }

    @Override
    public int hashCode() {
        return 31 * type.hashCode() + Arrays.hashCode(encoded);
    }

    /** The value as it stands in a little-endian file behind the number of its type. */
    ByteBuffer encoded() {
        return data().asReadOnlyBuffer();
    }

    /** The value as it stands in a file behind the number of its type. */
    byte[] encoded(ByteOrder order) {
        byte[] copy = encoded.clone();
        if (order == ByteOrder.LITTLE_ENDIAN) {
            return copy;
        }
        GgufType element = elementType();
        if (isArray()) {
            reverse(copy, 0, Integer.BYTES);
            reverse(copy, Integer.BYTES, Long.BYTES);
        }
        if (element != GgufType.STRING) {
            swap(copy, isArray() ? ARRAY_HEADER : 0, element.bytes());
        } else {
            for (int i = 0; i < length(); i++) {
                reverse(copy, start(i), Long.BYTES);
            }
        }
        return copy;
    }

    /** Reverses the bytes of each element from an index to the end. */
    static void swap(byte[] data, int from, int width) {
        for (int at = from; width > 1 && at < data.length; at += width) {
            reverse(data, at, width);
        }
    }

    private static void reverse(byte[] data, int from, int width) {
        for (int i = from, j = from + width - 1; i < j; i++, j--) {
            byte b = data[i];
            data[i] = data[j];
            data[j] = b;
        }
    }

    private GgufValue scalar() {
        if (isArray()) {
            throw wrong("a scalar");
        }
        return this;
    }

    private int at(GgufType element, int i) {
        Objects.checkIndex(i, length());
        return (isArray() ? ARRAY_HEADER : 0) + i * element.bytes();
    }

    private int start(int i) {
        if (elementType() != GgufType.STRING) {
            throw wrong("a text");
        }
        Objects.checkIndex(i, length());
        return isArray() ? starts()[i] : 0;
    }

    private int[] starts() {
        int[] known = starts;
        if (known == null) {
            ByteBuffer data = data();
            known = new int[length()];
            int at = ARRAY_HEADER;
            for (int i = 0; i < known.length; i++) {
                known[i] = at;
                at += Long.BYTES + (int) data.getLong(at);
            }
            starts = known;
        }
        return known;
    }

    private IllegalStateException wrong(String wanted) {
        return new IllegalStateException("the value is " + describe() + ", not " + wanted);
    }

    private ByteBuffer data() {
        return ByteBuffer.wrap(encoded).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static ByteBuffer buffer(GgufType element, boolean array, int length) {
        long bytes = (long) length * element.bytes();
        if (!array) {
            return little((int) bytes);
        }
        ByteBuffer data = little(Math.toIntExact(ARRAY_HEADER + bytes));
        return data.putInt(element.ordinal()).putLong(length);
    }

    static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The texts of an array. */
    private final class Strings extends AbstractList<String> implements RandomAccess {

        @Override
        public String get(int i) {
            return string(i);
        }

        @Override
        public int size() {
            return length();
        }
    }
}
