package org.panallama.gguf;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Encodes what stands in front of the tensor data. */
final class Header {

    private final GgufFormat format;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    private Header(GgufFormat format) {
        this.format = format;
    }

    /**
     * Encodes a header, without the padding behind it.
     *
     * @param offsets of the tensors' data in the data section
     */
    static byte[] encode(GgufFormat format, Map<String, GgufValue> metadata, List<GgufTensor> tensors, long[] offsets) {
        Header header = new Header(format);
        header.out.writeBytes(new byte[] {'G', 'G', 'U', 'F'});
        header.out.writeBytes(header.buffer(Integer.BYTES + 2 * Long.BYTES)
                .putInt(format.version())
                .putLong(tensors.size())
                .putLong(metadata.size())
                .array());
        metadata.forEach(header::entry);
        Set<String> names = new HashSet<>();
        for (int i = 0; i < offsets.length; i++) {
            if (!names.add(tensors.get(i).name())) {
                throw new IllegalArgumentException(
                        "two tensors have the name '" + tensors.get(i).name() + "'");
            }
            header.line(tensors.get(i), offsets[i]);
        }
        return header.out.toByteArray();
    }

    /** Places the tensors one behind the other. */
    static long[] offsets(List<GgufTensor> tensors, int alignment) {
        long[] offsets = new long[tensors.size()];
        long next = 0;
        for (int i = 0; i < offsets.length; i++) {
            offsets[i] = next;
            next = aligned(next + tensors.get(i).bytes(), alignment);
        }
        return offsets;
    }

    /** The next multiple of an alignment, a power of two. */
    static long aligned(long offset, int alignment) {
        return (offset + alignment - 1) & -alignment;
    }

    /** The alignment that the metadata asks for. */
    static int alignment(Map<String, GgufValue> metadata) {
        return alignment(metadata.get(HeaderReader.ALIGNMENT_KEY));
    }

    private static int alignment(@Nullable GgufValue value) {
        if (value == null) {
            return HeaderReader.DEFAULT_ALIGNMENT;
        }
        long alignment = value.type() == GgufType.UINT32 ? value.integer() : 0;
        if (alignment < Long.BYTES || alignment > 1 << 30 || Long.bitCount(alignment) != 1) {
            throw new IllegalArgumentException(
                    HeaderReader.ALIGNMENT_KEY + " is " + value + ", must be a UINT32 power of two from 8 to 2^30");
        }
        return (int) alignment;
    }

    private void entry(String key, GgufValue value) {
        if (key.isEmpty() || key.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("metadata key '" + key + "' is empty or holds a NUL");
        }
        out.writeBytes(text(key));
        out.writeBytes(buffer(Integer.BYTES).putInt(value.type().ordinal()).array());
        out.writeBytes(value.encoded(format.order()));
    }

    private void line(GgufTensor tensor, long offset) {
        byte[] name = text(tensor.name());
        if (name.length - Long.BYTES > GgufTensor.MAX_NAME_BYTES) {
            throw new IllegalArgumentException("the tensor name '" + tensor.name() + "' has more than 63 bytes");
        }
        if (tensor.name().isEmpty() || tensor.name().indexOf('\0') >= 0) {
            throw new IllegalArgumentException("the tensor name '" + tensor.name() + "' is empty or holds a NUL");
        }
        int dimensions = tensor.shape().size();
        ByteBuffer line = buffer(name.length + 2 * Integer.BYTES + (dimensions + 1) * Long.BYTES);
        line.put(name).putInt(dimensions);
        tensor.shape().forEach(line::putLong);
        out.writeBytes(line.putInt(tensor.type()).putLong(offset).array());
    }

    private byte[] text(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return buffer(Long.BYTES + utf8.length).putLong(utf8.length).put(utf8).array();
    }

    private ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(format.order());
    }
}
