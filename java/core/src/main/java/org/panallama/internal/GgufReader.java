package org.panallama.internal;

import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.panallama.ModelLoadException;
import org.panallama.TensorType;

/** Parses one GGUF file from its first byte to the end of its tensor list. */
final class GgufReader {
    static final String ALIGNMENT_KEY = "general.alignment";
    static final int DEFAULT_ALIGNMENT = 32;

    private static final int MAGIC = 'G' | 'G' << 8 | 'U' << 16 | 'F' << 24;

    // llama.cpp compares each key and each tensor name with all before it; these bounds, far above what real files
    // hold (some 60 keys, some thousand tensors), keep that from taking minutes.
    private static final int MAX_KEYS = 1 << 14;
    private static final int MAX_TENSORS = 1 << 16;

    // Real vocabularies with merges take up to some 30 MB.
    private static final long MAX_METADATA_BYTES = 1L << 28;

    private static final int MAX_DIMENSIONS = 4;
    private static final int MAX_TENSOR_NAME_BYTES = 63;

    private final Path path;
    private final GgufInput in;

    private String where = "header";

    GgufReader(Path path, FileChannel channel) throws IOException {
        this.path = path;
        this.in = new GgufInput(channel);
    }

    GgufFile read() throws IOException {
        try {
            return parse();
        } catch (EOFException e) {
            throw new ModelLoadException(
                    path,
                    "the file is cut off in its " + where + ": it ends after " + in.size()
                            + " bytes; download or copy it again",
                    e);
        }
    }

    private GgufFile parse() throws IOException {
        if (in.readInt() != MAGIC) {
            throw damaged("does not begin with GGUF");
        }
        int version = readVersion();
        int tensorCount = readCount("tensors", MAX_TENSORS);
        int keyCount = readCount("metadata keys", MAX_KEYS);
        Map<String, GgufValue> metadata = readMetadata(keyCount);
        int alignment = alignment(metadata);
        List<GgufTensor> tensors = readTensors(tensorCount, alignment);
        long end = in.position();
        long dataOffset = tensors.isEmpty() ? end : (end + alignment - 1) & -alignment;
        return new GgufFile(path, in.size(), version, dataOffset, metadata, tensors);
    }

    private int readVersion() throws IOException {
        int version = in.readInt();
        if ((version & 0xFFFF) == 0) {
            throw refused("the file is big-endian (made for s390x or similar); convert the model for little-endian");
        }
        if (version == 1) {
            throw refused("GGUF version 1 is no longer supported; convert the model again with a current converter");
        }
        if (version != 2 && version != 3) {
            throw refused("GGUF version " + Integer.toUnsignedString(version)
                    + " is not supported; this llama.cpp reads versions 2 and 3");
        }
        return version;
    }

    private int readCount(String what, int max) throws IOException {
        long count = in.readLong();
        if (count < 0 || count > max) {
            throw damaged("it claims " + Long.toUnsignedString(count) + " " + what + ", the most that is supported is "
                    + max);
        }
        return (int) count;
    }

    private Map<String, GgufValue> readMetadata(int count) throws IOException {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        String previous = null;
        for (int i = 0; i < count; i++) {
            where = "metadata (key " + (i + 1) + " of " + count
                    + (previous == null ? ")" : ", after '" + previous + "')");
            byte[] bytes = readStringBytes("key " + (i + 1));
            String key = name(bytes, "metadata key " + (i + 1));
            where = "metadata (value of '" + key + "')";
            if (metadata.put(key, readValue(key)) != null) {
                throw damaged("metadata key '" + key + "' appears twice");
            }
            previous = key;
        }
        return metadata;
    }

    private GgufValue readValue(String key) throws IOException {
        int typeId = in.readInt();
        boolean array = typeId == GgufType.ARRAY.ordinal();
        if (array) {
            typeId = in.readInt();
        }
        if (!GgufType.isKnown(typeId) || typeId == GgufType.ARRAY.ordinal()) {
            throw damaged("metadata key '" + key + "' has "
                    + (array ? "elements of the unsupported type " : "the unknown type ")
                    + Integer.toUnsignedString(typeId));
        }
        GgufType type = GgufType.of(typeId);
        long length = array ? in.readLong() : 1;
        int elementBytes = type == GgufType.STRING ? Long.BYTES : type.bytes();
        if (length < 0 || length > MAX_METADATA_BYTES / elementBytes) {
            throw damaged(
                    "metadata key '" + key + "' claims an array of " + Long.toUnsignedString(length) + " elements");
        }
        if (length * elementBytes > in.remaining()) {
            throw new EOFException();
        }
        if (type == GgufType.STRING) {
            return readStrings(key, array, (int) length);
        }
        byte[] data = new byte[(int) length * elementBytes];
        in.readFully(data, 0, data.length);
        return GgufValue.fixed(type, array, (int) length, data);
    }

    /** Reads the lengths first, so that no more is allocated than the strings take in the file. */
    private GgufValue readStrings(String key, boolean array, int count) throws IOException {
        long start = in.position();
        int[] ends = new int[count];
        int end = 0;
        for (int i = 0; i < count; i++) {
            int length = readStringLength("metadata key '" + key + "'");
            if ((long) end + length > MAX_METADATA_BYTES) {
                throw damaged("metadata key '" + key + "' holds more than " + (MAX_METADATA_BYTES >> 20) + " MiB");
            }
            in.position(in.position() + length);
            end += length;
            ends[i] = end;
        }
        byte[] data = new byte[end];
        in.position(start);
        for (int i = 0, from = 0; i < count; from = ends[i++]) {
            in.readLong();
            in.readFully(data, from, ends[i] - from);
        }
        return GgufValue.strings(array, data, ends);
    }

    private byte[] readStringBytes(String owner) throws IOException {
        byte[] bytes = new byte[readStringLength(owner)];
        in.readFully(bytes, 0, bytes.length);
        return bytes;
    }

    private int readStringLength(String owner) throws IOException {
        long length = in.readLong();
        if (length < 0 || length > MAX_METADATA_BYTES) {
            throw damaged(owner + " claims a string of " + Long.toUnsignedString(length) + " bytes");
        }
        if (length > in.remaining()) {
            throw new EOFException();
        }
        return (int) length;
    }

    private String name(byte[] bytes, String what) {
        String name = new String(bytes, StandardCharsets.UTF_8);
        // C code would see a shorter name than this one.
        if (name.isEmpty() || name.indexOf('\0') >= 0) {
            throw damaged(what + (name.isEmpty() ? " has an empty name" : " has a NUL byte in its name"));
        }
        return name;
    }

    private int alignment(Map<String, GgufValue> metadata) {
        GgufValue value = metadata.get(ALIGNMENT_KEY);
        if (value == null) {
            return DEFAULT_ALIGNMENT;
        }
        if (!value.is(GgufType.UINT32)) {
            throw damaged(ALIGNMENT_KEY + " must be a UINT32, not " + value);
        }
        long alignment = value.integer(0);
        if (Long.bitCount(alignment) != 1 || alignment > 1 << 30) {
            throw damaged(ALIGNMENT_KEY + " is " + alignment + ", not a power of two");
        }
        return (int) alignment;
    }

    private List<GgufTensor> readTensors(int count, int alignment) throws IOException {
        List<GgufTensor> tensors = new ArrayList<>();
        Set<String> names = new HashSet<>();
        long expected = 0;
        for (int i = 0; i < count; i++) {
            where = "list of tensors (" + i + " of " + count + " are complete)";
            GgufTensor tensor = readTensor(i);
            if (!names.add(tensor.name())) {
                throw damaged("tensor '" + tensor.name() + "' appears twice");
            }
            if (tensor.offset() != expected) {
                throw damaged("the data of tensor '" + tensor.name() + "' is said to begin at offset "
                        + Long.toUnsignedString(tensor.offset()) + "; its neighbours and the alignment of "
                        + alignment + " require " + expected);
            }
            long padded = (tensor.bytes() + alignment - 1) & -alignment;
            if (padded < 0 || expected > Long.MAX_VALUE / 2 - padded) {
                throw damaged("tensor '" + tensor.name() + "' makes the file larger than any file can be");
            }
            expected += padded;
            tensors.add(tensor);
        }
        return tensors;
    }

    private GgufTensor readTensor(int index) throws IOException {
        byte[] bytes = readStringBytes("the name of tensor " + index);
        if (bytes.length > MAX_TENSOR_NAME_BYTES) {
            throw damaged("the name of tensor " + index + " takes " + bytes.length + " bytes, at most "
                    + MAX_TENSOR_NAME_BYTES + " are allowed");
        }
        String name = name(bytes, "tensor " + index);
        int dimensions = in.readInt();
        if (dimensions < 0 || dimensions > MAX_DIMENSIONS) {
            throw damaged("tensor '" + name + "' claims " + Integer.toUnsignedString(dimensions)
                    + " dimensions, at most " + MAX_DIMENSIONS + " are allowed");
        }
        List<Long> shape = new ArrayList<>(dimensions);
        for (int i = 0; i < dimensions; i++) {
            shape.add(in.readLong());
        }
        int typeId = in.readInt();
        long offset = in.readLong();
        try {
            TensorType type = TensorType.of(typeId);
            return new GgufTensor(name, type, List.copyOf(shape), offset, bytes(shape, type));
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new ModelLoadException(path, "tensor '" + name + "': " + e.getMessage(), e);
        }
    }

    private static long bytes(List<Long> shape, TensorType type) {
        long elements = 1;
        for (long size : shape) {
            if (size <= 0) {
                throw new IllegalArgumentException("shape " + shape + " has a dimension that is not positive");
            }
            try {
                elements = Math.multiplyExact(elements, size);
            } catch (ArithmeticException e) {
                throw new IllegalArgumentException("shape " + shape + " has more elements than can be counted", e);
            }
        }
        long row = shape.isEmpty() ? 1 : shape.get(0);
        if (row % type.blockSize() != 0) {
            throw new IllegalArgumentException("rows of " + row + " elements are not a whole number of " + type
                    + " blocks of " + type.blockSize());
        }
        return type.bytes(elements);
    }

    private ModelLoadException damaged(String what) {
        return new ModelLoadException(path, "the file is damaged: " + what);
    }

    private ModelLoadException refused(String why) {
        return new ModelLoadException(path, why);
    }
}
