package org.panallama.gguf;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Parses one GGUF file from its first byte to the end of its tensor list. It allocates no more than the file can back,
 * and goes on behind whatever damage leaves the rest readable.
 */
final class HeaderReader {

    static final String ALIGNMENT_KEY = "general.alignment";
    static final int DEFAULT_ALIGNMENT = 32;

    private static final int MAGIC = 'G' | 'G' << 8 | 'U' << 16 | 'F' << 24;

    // Far above what real files hold (some 60 keys; 70,000 tensors where experts are apart), and little memory.
    private static final int MAX_KEYS = 1 << 16;
    private static final int MAX_TENSORS = 1 << 20;

    // The specification's limit. ggml's own, 63 bytes for a tensor, is TensorRules' business.
    private static final int MAX_NAME_BYTES = (1 << 16) - 1;

    /** A tensor as its line in the header says, with the offset of that line. */
    record Line(String name, int nameBytes, List<Long> shape, int type, long offset, long at) {}

    private final FileInput in;
    private final Findings findings;
    private final ValueReader values;

    private int version;
    private final Map<String, GgufValue> metadata = new LinkedHashMap<>();
    private final List<Line> lines = new ArrayList<>();
    private int alignment = DEFAULT_ALIGNMENT;
    private long alignmentAt;
    private long end;
    private boolean complete;
    private String where = "its first 24 bytes";

    HeaderReader(FileChannel channel, Findings findings) throws IOException {
        this.in = new FileInput(channel);
        this.findings = findings;
        this.values = new ValueReader(in, findings);
    }

    /**
     * Reads what can be read.
     *
     * @throws GgufException at damage behind which nothing can be understood; what came before it is there
     */
    void read() throws IOException {
        try {
            parse();
        } catch (EOFException e) {
            throw findings.fatal(in.size(), "the file is cut off in " + where + "; download or copy it again");
        }
        complete = true;
    }

    private void parse() throws IOException {
        byte[] prefix = prefix();
        if (prefix.length == 0) {
            throw findings.fatal(0, "the file is empty");
        }
        if (prefix.length < Integer.BYTES
                || ByteBuffer.wrap(prefix).order(in.order()).getInt() != MAGIC) {
            throw findings.fatal(0, "not a GGUF file: " + ForeignFormat.describe(prefix));
        }
        readVersion();
        int tensorCount = readCount("tensors", MAX_TENSORS);
        int keyCount = readCount("metadata keys", MAX_KEYS);
        for (int i = 0; i < keyCount && !findings.isFull(); i++) {
            readEntry(i, keyCount);
        }
        readAlignment();
        for (int i = 0; i < tensorCount && !findings.isFull(); i++) {
            readLine(i, tensorCount);
        }
        end = in.position();
    }

    private byte[] prefix() throws IOException {
        byte[] prefix = new byte[(int) Math.min(ForeignFormat.PREFIX_BYTES, in.size())];
        in.readFully(prefix, 0, prefix.length);
        in.position(0);
        return prefix;
    }

    private void readVersion() throws IOException {
        in.readInt(); // magic
        version = in.readInt();
        // Either order has the same magic; the version tells.
        if ((version & 0xFFFF) == 0 && version != 0) {
            in.order(ByteOrder.BIG_ENDIAN);
            version = Integer.reverseBytes(version);
        }
        if (version == 1) {
            throw findings.fatal(
                    4, "GGUF version 1 (before September 2023) is not supported; convert the model again to version 3");
        }
        if (version != 2 && version != 3) {
            throw findings.fatal(
                    4, "GGUF version " + Integer.toUnsignedString(version) + " is not supported, only 2 and 3 are");
        }
    }

    private int readCount(String what, int max) throws IOException {
        long at = in.position();
        long count = in.readLong();
        if (count < 0 || count > max) {
            throw findings.fatal(
                    at,
                    "the file claims " + Long.toUnsignedString(count) + " " + what + ", the most that is supported is "
                            + max);
        }
        return (int) count;
    }

    private void readEntry(int index, int count) throws IOException {
        where = "metadata key " + (index + 1) + " of " + count;
        long at = in.position();
        byte[] bytes = values.readStringBytes(where, MAX_NAME_BYTES);
        String key = name(bytes, at, where);
        where = "the value of metadata key '" + key + "' (" + (index + 1) + " of " + count + ")";
        GgufValue value = values.read(key);
        if (metadata.putIfAbsent(key, value) != null) {
            findings.damage(at, "metadata key '" + key + "' appears twice");
        }
        if (key.equals(ALIGNMENT_KEY)) {
            alignmentAt = at;
        }
    }

    private void readAlignment() throws IOException {
        GgufValue value = metadata.get(ALIGNMENT_KEY);
        if (value == null) {
            return;
        }
        if (value.type() != GgufType.UINT32) {
            findings.damage(alignmentAt, ALIGNMENT_KEY + " must be of type UINT32, not " + value.describe());
            return;
        }
        long claimed = value.integer();
        if (Long.bitCount(claimed) != 1 || claimed < Long.BYTES || claimed > 1 << 30) {
            findings.damage(alignmentAt, ALIGNMENT_KEY + " is " + claimed + ", not a power of two from 8 to 2^30");
            return;
        }
        alignment = (int) claimed;
        if (alignment < DEFAULT_ALIGNMENT) {
            findings.unloadable(
                    alignmentAt,
                    ALIGNMENT_KEY + " is " + alignment + ", llama.cpp needs at least " + DEFAULT_ALIGNMENT);
        }
    }

    private void readLine(int index, int count) throws IOException {
        where = "the list of tensors (" + index + " of " + count + " are complete)";
        long at = in.position();
        String what = "tensor " + (index + 1) + " of " + count;
        byte[] bytes = values.readStringBytes("the name of " + what, MAX_NAME_BYTES);
        String name = name(bytes, at, what);
        int dimensions = in.readInt();
        if (dimensions < 0 || dimensions > GgufTensor.MAX_DIMENSIONS) {
            // No later format has more, so the rest would be read from the wrong place.
            throw findings.fatal(
                    at,
                    "tensor '" + name + "' claims " + Integer.toUnsignedString(dimensions)
                            + " dimensions, at most 4 are allowed");
        }
        List<Long> shape = new ArrayList<>(dimensions);
        for (int i = 0; i < dimensions; i++) {
            shape.add(in.readLong());
        }
        int type = in.readInt();
        lines.add(new Line(name, bytes.length, List.copyOf(shape), type, in.readLong(), at));
    }

    private String name(byte[] bytes, long at, String what) throws IOException {
        String name = new String(bytes, StandardCharsets.UTF_8);
        if (name.isEmpty()) {
            findings.damage(at, what + " has an empty name");
        } else if (name.indexOf('\0') >= 0) {
            findings.damage(at, what + " has a NUL byte in its name, which C code takes for its end");
        } else if (!values.isUtf8(bytes)) {
            findings.damage(at, "the name of " + what + ", '" + name + "', is not valid UTF-8");
        }
        return name;
    }

    /** Whether the whole header could be read. */
    boolean isComplete() {
        return complete;
    }

    int version() {
        return version;
    }

    ByteOrder order() {
        return in.order();
    }

    Map<String, GgufValue> metadata() {
        return metadata;
    }

    List<Line> lines() {
        return lines;
    }

    int alignment() {
        return alignment;
    }

    /** Where the header ends, without padding. */
    long end() {
        return end;
    }

    long size() {
        return in.size();
    }

    /** Where the data section begins. */
    long dataOffset() {
        return lines.isEmpty() ? end : Header.aligned(end, alignment);
    }
}
