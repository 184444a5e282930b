package org.panallama.gguf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A metadata value of a GGUF file: a scalar, or an array of scalars of one type. Immutable. It keeps the encoding of the
 * file, so that a vocabulary of a quarter million strings costs a few megabytes.
 */
public final class GgufValue {

    private static final int ARRAY_HEADER = Integer.BYTES + Long.BYTES;

    private final GgufType type;
    private final byte[] encoded;

    private GgufValue(GgufType type, byte[] encoded) {
        this.type = type;
        this.encoded = encoded;
    }

    /**
     * An unsigned integer of 32 bits, the type of nearly all sizes and token ids.
     *
     * @throws IllegalArgumentException if the value is not from 0 to 4294967295
     */
    public static GgufValue uint32(long value) {
        if (value < 0 || value > 0xFFFF_FFFFL) {
            throw new IllegalArgumentException("value is " + value + ", must be from 0 to 4294967295");
        }
        return new GgufValue(
                GgufType.UINT32, little(Integer.BYTES).putInt((int) value).array());
    }

    /** A signed integer of 32 bits. */
    public static GgufValue int32(int value) {
        return new GgufValue(GgufType.INT32, little(Integer.BYTES).putInt(value).array());
    }

    /** A single-precision number. */
    public static GgufValue float32(float value) {
        return new GgufValue(
                GgufType.FLOAT32, little(Float.BYTES).putFloat(value).array());
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
        ByteBuffer data = array(GgufType.INT32, values.length, (long) values.length * Integer.BYTES);
        data.asIntBuffer().put(values);
        return new GgufValue(GgufType.ARRAY, data.array());
    }

    /** An array of single-precision numbers. */
    public static GgufValue float32s(float... values) {
        ByteBuffer data = array(GgufType.FLOAT32, values.length, (long) values.length * Float.BYTES);
        data.asFloatBuffer().put(values);
        return new GgufValue(GgufType.ARRAY, data.array());
    }

    /** An array of texts. */
    public static GgufValue strings(List<String> values) {
        List<byte[]> texts = values.stream()
                .map(text -> text.getBytes(StandardCharsets.UTF_8))
                .toList();
        long size = texts.stream().mapToLong(text -> Long.BYTES + text.length).sum();
        ByteBuffer data = array(GgufType.STRING, texts.size(), size);
        texts.forEach(text -> data.putLong(text.length).put(text));
        return new GgufValue(GgufType.ARRAY, data.array());
    }

    /** The type; {@link GgufType#ARRAY} for every array. */
    public GgufType type() {
        return type;
    }

    /** The value as it stands in a file behind the number of its type. */
    ByteBuffer encoded() {
        return ByteBuffer.wrap(encoded).asReadOnlyBuffer();
    }

    private static ByteBuffer array(GgufType type, int length, long bytes) {
        ByteBuffer data = little(Math.toIntExact(ARRAY_HEADER + bytes));
        return data.putInt(type.ordinal()).putLong(length);
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
