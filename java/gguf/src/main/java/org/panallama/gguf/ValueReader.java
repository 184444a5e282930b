package org.panallama.gguf;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads metadata values. What it allocates for one takes as many bytes in the file. */
final class ValueReader {

    // Real vocabularies with merges take up to some 30 MB.
    private static final long MAX_METADATA_BYTES = 1L << 28;

    private static final int NO_ARRAY = -1;

    private final FileInput in;
    private final Findings findings;
    private final Utf8 utf8 = new Utf8();
    private long kept;

    ValueReader(FileInput in, Findings findings) {
        this.in = in;
        this.findings = findings;
    }

    /** Reads the type and the value of a key. */
    GgufValue read(String key) throws IOException {
        long at = in.position();
        int id = in.readInt();
        boolean array = id == GgufType.ARRAY.ordinal();
        if (array) {
            id = in.readInt();
        }
        if (!GgufType.isKnown(id)) {
            throw findings.fatal(
                    at,
                    "metadata key '" + key + "' has " + (array ? "elements of " : "") + "the unknown type "
                            + Integer.toUnsignedString(id) + ", the specification has 0 to 12");
        }
        GgufType element = GgufType.of(id);
        if (element == GgufType.ARRAY) {
            throw findings.fatal(at, "metadata key '" + key + "' is an array of arrays, which llama.cpp cannot read");
        }
        long length = array ? in.readLong() : 1;
        // A string takes at least its length.
        int width = element == GgufType.STRING ? Long.BYTES : element.bytes();
        if (length < 0 || length > in.remaining() / width) {
            throw array
                    ? findings.fatal(
                            at,
                            "metadata key '" + key + "' claims an array of " + Long.toUnsignedString(length) + " "
                                    + element + ", but only " + in.remaining() + " bytes follow in the file")
                    : new EOFException();
        }
        keep(length * width, key, at);
        if (element == GgufType.STRING) {
            return array ? strings(key, (int) length, at) : string(key, at);
        }
        byte[] data = fixed(element, array, (int) length);
        if (element == GgufType.BOOL) {
            checkBools(key, at, data, array ? GgufValue.ARRAY_HEADER : 0);
        }
        return GgufValue.encoded(array ? GgufType.ARRAY : element, data);
    }

    /** Reads the length of a string and its bytes. */
    byte[] readStringBytes(String owner, long max) throws IOException {
        byte[] bytes = new byte[readLength(owner, NO_ARRAY, max)];
        in.readFully(bytes, 0, bytes.length);
        return bytes;
    }

    boolean isUtf8(byte[] bytes) {
        return utf8.isValid(bytes, 0, bytes.length);
    }

    private int readLength(String key, int element, long max) throws IOException {
        long at = in.position();
        long length = in.readLong();
        if (length >= 0 && length <= Math.min(in.remaining(), max)) {
            return (int) length;
        }
        String owner = element == NO_ARRAY ? key : key + ", element " + element + ",";
        if (length < 0 || length > in.remaining()) {
            throw findings.fatal(
                    at,
                    owner + " claims a string of " + Long.toUnsignedString(length) + " bytes, but only "
                            + in.remaining() + " follow in the file");
        }
        throw findings.fatal(at, owner + " has a string of " + length + " bytes, at most " + max + " are allowed");
    }

    private void keep(long bytes, String key, long at) throws IOException {
        kept += bytes;
        if (kept > MAX_METADATA_BYTES) {
            throw findings.fatal(
                    at,
                    "the metadata up to key '" + key + "' takes more than " + (MAX_METADATA_BYTES >> 20)
                            + " MiB, which no model has");
        }
    }

    private GgufValue string(String key, long at) throws IOException {
        int length = readLength("metadata key '" + key + "'", NO_ARRAY, MAX_METADATA_BYTES - kept);
        keep(length, key, at);
        byte[] data = GgufValue.little(Long.BYTES + length).putLong(length).array();
        in.readFully(data, Long.BYTES, length);
        if (!utf8.isValid(data, Long.BYTES, length)) {
            findings.suspicious(at, "the value of metadata key '" + key + "' is not valid UTF-8");
        }
        return GgufValue.encoded(GgufType.STRING, data);
    }

    /** Reads the lengths first, so that no more is allocated than the strings take in the file. */
    private GgufValue strings(String key, int count, long at) throws IOException {
        String owner = "metadata key '" + key + "'";
        long start = in.position();
        for (int i = 0; i < count; i++) {
            int length = readLength(owner, i, MAX_METADATA_BYTES - kept);
            keep(length, key, at);
            in.position(in.position() + length);
        }
        byte[] data = new byte[GgufValue.ARRAY_HEADER + (int) (in.position() - start)];
        ByteBuffer.wrap(data)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(GgufType.STRING.ordinal())
                .putLong(count);
        in.position(start);
        in.readFully(data, GgufValue.ARRAY_HEADER, data.length - GgufValue.ARRAY_HEADER);
        checkStrings(owner, count, data, start - GgufValue.ARRAY_HEADER);
        return GgufValue.encoded(GgufType.ARRAY, data);
    }

    /** Checks the texts, and makes their lengths little-endian. */
    private void checkStrings(String owner, int count, byte[] data, long offset) {
        ByteBuffer lengths = ByteBuffer.wrap(data).order(in.order());
        int invalid = 0;
        int firstInvalid = 0;
        int firstInvalidAt = 0;
        int at = GgufValue.ARRAY_HEADER;
        for (int i = 0; i < count; i++) {
            int length = (int) lengths.getLong(at);
            if (!utf8.isValid(data, at + Long.BYTES, length) && invalid++ == 0) {
                firstInvalid = i;
                firstInvalidAt = at;
            }
            if (in.order() == ByteOrder.BIG_ENDIAN) {
                lengths.putLong(at, Long.reverseBytes(length));
            }
            at += Long.BYTES + length;
        }
        if (invalid > 0) {
            findings.suspicious(
                    offset + firstInvalidAt,
                    owner + ": " + invalid + " of " + count + " strings are not valid UTF-8, the first is element "
                            + firstInvalid);
        }
    }

    private byte[] fixed(GgufType element, boolean array, int length) throws IOException {
        int header = array ? GgufValue.ARRAY_HEADER : 0;
        byte[] data = new byte[header + length * element.bytes()];
        if (array) {
            ByteBuffer.wrap(data)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(element.ordinal())
                    .putLong(length);
        }
        in.readFully(data, header, data.length - header);
        if (in.order() == ByteOrder.BIG_ENDIAN) {
            GgufValue.swap(data, header, element.bytes());
        }
        return data;
    }

    private void checkBools(String key, long at, byte[] data, int from) throws IOException {
        for (int i = from; i < data.length; i++) {
            if (data[i] != 0 && data[i] != 1) {
                findings.damage(
                        at,
                        "metadata key '" + key + "' has a BOOL of " + Byte.toUnsignedInt(data[i]) + ", must be 0 or 1");
                return;
            }
        }
    }
}
