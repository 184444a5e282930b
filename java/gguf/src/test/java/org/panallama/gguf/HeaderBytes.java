package org.panallama.gguf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Writes headers field by field, right and wrong ones. */
final class HeaderBytes {

    private final ByteBuffer out = ByteBuffer.allocate(1 << 16);

    HeaderBytes(ByteOrder order) {
        out.order(order);
    }

    /** The magic, version 3 and the counts. */
    static HeaderBytes begin(long tensors, long keys) {
        return new HeaderBytes(ByteOrder.LITTLE_ENDIAN)
                .raw("GGUF")
                .u32(3)
                .u64(tensors)
                .u64(keys);
    }

    /** A padded header without metadata. */
    static byte[] of(List<GgufTensor> tensors, List<Long> offsets) {
        HeaderBytes header = begin(tensors.size(), 0);
        for (int i = 0; i < offsets.size(); i++) {
            GgufTensor tensor = tensors.get(i);
            header.tensor(
                    tensor.name(),
                    tensor.type(),
                    offsets.get(i),
                    tensor.shape().stream().mapToLong(Long::longValue).toArray());
        }
        return header.pad().bytes();
    }

    HeaderBytes raw(String text) {
        out.put(text.getBytes(StandardCharsets.UTF_8));
        return this;
    }

    HeaderBytes raw(int... bytes) {
        for (int b : bytes) {
            out.put((byte) b);
        }
        return this;
    }

    HeaderBytes u32(int value) {
        out.putInt(value);
        return this;
    }

    HeaderBytes u64(long value) {
        out.putLong(value);
        return this;
    }

    HeaderBytes text(String text) {
        return u64(text.getBytes(StandardCharsets.UTF_8).length).raw(text);
    }

    HeaderBytes key(String key, GgufType type) {
        return text(key).u32(type.ordinal());
    }

    HeaderBytes tensor(String name, int type, long offset, long... shape) {
        text(name).u32(shape.length);
        for (long dimension : shape) {
            u64(dimension);
        }
        return u32(type).u64(offset);
    }

    HeaderBytes pad() {
        return raw(new int[-out.position() & 31]);
    }

    byte[] bytes() {
        byte[] bytes = new byte[out.position()];
        out.get(0, bytes);
        return bytes;
    }
}
