package org.panallama.internal;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.panallama.TensorType;

/** Writes GGUF files for tests, wrong ones too: nothing is checked, and every part can be replaced. */
public final class GgufWriter {
    /** A metadata entry: the key, the number of the type, and the value as it stands in the file. */
    public record Entry(String key, int type, byte[] value) {}

    /** A line of the tensor list. */
    public record Info(String name, List<Long> shape, int type, long offset) {}

    private final List<Entry> entries = new ArrayList<>();
    private final List<Info> tensors = new ArrayList<>();
    private int version = 3;
    private long dataBytes;

    /** Returns a writer of what was read from a file. */
    public static GgufWriter of(GgufFile file) {
        GgufWriter writer = new GgufWriter();
        file.metadata().forEach((key, value) -> writer.entries.add(entry(key, value)));
        file.tensors()
                .forEach(t -> writer.tensors.add(
                        new Info(t.name(), t.shape(), t.type().id(), t.offset())));
        return writer;
    }

    /** Returns the entries, which may be changed. */
    public List<Entry> entries() {
        return entries;
    }

    /** Returns the tensors, which may be changed. */
    public List<Info> tensors() {
        return tensors;
    }

    /** Sets the version in the header. */
    public GgufWriter version(int value) {
        version = value;
        return this;
    }

    /** Adds an entry, or replaces the one with this key. */
    public GgufWriter put(Entry entry) {
        entries.removeIf(e -> e.key().equals(entry.key()));
        entries.add(entry);
        return this;
    }

    /** Removes an entry. */
    public GgufWriter remove(String key) {
        entries.removeIf(e -> e.key().equals(key));
        return this;
    }

    /** Puts a UINT32. */
    public GgufWriter put(String key, int value) {
        return put(new Entry(
                key, GgufType.UINT32.ordinal(), little(4).putInt(value).array()));
    }

    /** Puts a FLOAT32. */
    public GgufWriter put(String key, float value) {
        return put(new Entry(
                key, GgufType.FLOAT32.ordinal(), little(4).putFloat(value).array()));
    }

    /** Puts a BOOL. */
    public GgufWriter put(String key, boolean value) {
        return put(new Entry(key, GgufType.BOOL.ordinal(), new byte[] {(byte) (value ? 1 : 0)}));
    }

    /** Puts a UINT16. */
    public GgufWriter putShort(String key, int value) {
        return put(new Entry(
                key,
                GgufType.UINT16.ordinal(),
                little(2).putShort((short) value).array()));
    }

    /** Puts a string. */
    public GgufWriter put(String key, String value) {
        return put(new Entry(key, GgufType.STRING.ordinal(), string(value)));
    }

    /** Puts an array of strings. */
    public GgufWriter put(String key, List<String> values) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        values.forEach(value -> out.writeBytes(string(value)));
        return put(array(key, GgufType.STRING, values.size(), out.toByteArray()));
    }

    /** Puts an array of INT32. */
    public GgufWriter put(String key, int... values) {
        ByteBuffer data = little(4 * values.length);
        data.asIntBuffer().put(values);
        return put(array(key, GgufType.INT32, values.length, data.array()));
    }

    /** Puts an array of FLOAT32. */
    public GgufWriter put(String key, float... values) {
        ByteBuffer data = little(4 * values.length);
        data.asFloatBuffer().put(values);
        return put(array(key, GgufType.FLOAT32, values.length, data.array()));
    }

    /** Adds a tensor behind the others, with data of zeros. */
    public GgufWriter tensor(String name, TensorType type, long... shape) {
        List<Long> sizes = new ArrayList<>();
        long elements = 1;
        for (long size : shape) {
            sizes.add(size);
            elements *= size;
        }
        tensors.add(new Info(name, sizes, type.id(), dataBytes));
        dataBytes += (type.bytes(elements) + 31) & -32;
        return this;
    }

    /** Returns the file up to the data section, padded to a multiple of 32 bytes. */
    public byte[] header() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(little(20)
                .putInt(version)
                .putLong(tensors.size())
                .putLong(entries.size())
                .array());
        for (Entry entry : entries) {
            out.writeBytes(string(entry.key()));
            out.writeBytes(little(4).putInt(entry.type()).array());
            out.writeBytes(entry.value());
        }
        for (Info tensor : tensors) {
            out.writeBytes(string(tensor.name()));
            ByteBuffer line =
                    little(16 + 8 * tensor.shape().size()).putInt(tensor.shape().size());
            tensor.shape().forEach(line::putLong);
            out.writeBytes(line.putInt(tensor.type()).putLong(tensor.offset()).array());
        }
        out.writeBytes(new byte[-out.size() & 31]);
        return out.toByteArray();
    }

    /** Returns the whole file. */
    public byte[] toBytes() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(header());
        out.writeBytes(new byte[(int) dataBytes]);
        return out.toByteArray();
    }

    /** Writes the whole file. */
    public Path write(Path file) {
        try {
            return Files.write(file, toBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns an array entry from elements as they stand in the file. */
    public static Entry array(String key, GgufType type, long length, byte[] elements) {
        byte[] value = little(12 + elements.length)
                .putInt(type.ordinal())
                .putLong(length)
                .put(elements)
                .array();
        return new Entry(key, GgufType.ARRAY.ordinal(), value);
    }

    private static Entry entry(String key, GgufValue value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < value.length(); i++) {
            switch (value.type()) {
                case STRING -> out.writeBytes(string(value.string(i)));
                case FLOAT32 ->
                    out.writeBytes(little(4).putFloat((float) value.number(i)).array());
                case FLOAT64 ->
                    out.writeBytes(little(8).putDouble(value.number(i)).array());
                default ->
                    out.write(
                            little(8).putLong(value.integer(i)).array(),
                            0,
                            value.type().bytes());
            }
        }
        return value.isArray()
                ? array(key, value.type(), value.length(), out.toByteArray())
                : new Entry(key, value.type().ordinal(), out.toByteArray());
    }

    private static byte[] string(String value) {
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        return little(8 + bytes.length).putLong(bytes.length).put(bytes).array();
    }

    private static ByteBuffer little(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
