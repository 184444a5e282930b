package org.panallama.tools.convert;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Reads the fields of a protocol buffers message one by one. SentencePiece's models are the only ones here, and need these
 * few lines of the format instead of a library with generated classes.
 *
 * @see <a href="https://protobuf.dev/programming-guides/encoding/">the encoding</a>
 */
final class ProtobufReader {

    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    private final ByteBuffer data;
    private int wireType;

    ProtobufReader(ByteBuffer data) {
        this.data = data.slice().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Goes to the next field and returns its number, 0 at the end. Its value must be read or skipped then. */
    int next() {
        if (!data.hasRemaining()) {
            return 0;
        }
        long tag = varint();
        wireType = (int) tag & 7;
        int field = (int) (tag >>> 3);
        if (field <= 0) {
            throw new IllegalArgumentException("field number " + field + " at byte " + data.position());
        }
        return field;
    }

    long integer() {
        require(VARINT);
        return varint();
    }

    float float32() {
        require(FIXED32);
        requireRest(Float.BYTES);
        return data.getFloat();
    }

    ByteBuffer bytes() {
        require(BYTES);
        long length = varint();
        requireRest(length);
        ByteBuffer value = data.slice(data.position(), (int) length);
        data.position(data.position() + (int) length);
        return value;
    }

    String text() {
        return StandardCharsets.UTF_8.decode(bytes()).toString();
    }

    void skip() {
        switch (wireType) {
            case VARINT -> varint();
            case FIXED64 -> skip(Long.BYTES);
            case BYTES -> bytes();
            case FIXED32 -> skip(Integer.BYTES);
            default -> throw new IllegalArgumentException("wire type " + wireType + " at byte " + data.position());
        }
    }

    private void skip(int bytes) {
        requireRest(bytes);
        data.position(data.position() + bytes);
    }

    private long varint() {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            requireRest(1);
            byte part = data.get();
            value |= (long) (part & 0x7F) << shift;
            if (part >= 0) {
                return value;
            }
        }
        throw new IllegalArgumentException("a number without an end at byte " + data.position());
    }

    private void require(int wanted) {
        if (wireType != wanted) {
            throw new IllegalArgumentException(
                    "wire type " + wireType + " instead of " + wanted + " at byte " + data.position());
        }
    }

    private void requireRest(long bytes) {
        if (bytes < 0 || bytes > data.remaining()) {
            throw new IllegalArgumentException("cut off at byte " + data.limit());
        }
    }
}
