package org.panallama.tools.lora;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Set;
import org.panallama.gguf.GgmlType;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufTensor;
import org.panallama.tools.safetensors.ElementReader;
import org.panallama.tools.safetensors.HalfFloats;
import org.panallama.tools.safetensors.SafetensorsType;

/** Rows of a GGUF file's tensor, of the types that can be both read and written. */
record GgufMatrix(GgufFile file, GgufTensor tensor, long firstRow, long rows) implements Matrix {

    /** The types of which numbers can be made here, and which can be made of numbers. */
    static final Set<GgmlType> TYPES = Set.of(GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q8_0);

    private static final int BLOCK = GgmlType.Q8_0.blockSize();

    /** What was read last: direct, since the system copies into other memory by a buffer of its own. */
    private static final ThreadLocal<ByteBuffer> DATA = ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(0));

    static GgufMatrix of(GgufFile file, GgufTensor tensor) {
        return new GgufMatrix(file, tensor, 0, tensor.elements() / tensor.dimension(0));
    }

    /** One of the matrices that a tensor of three dimensions stacks. */
    static GgufMatrix slice(GgufFile file, GgufTensor tensor, long index) {
        return new GgufMatrix(file, tensor, index * tensor.dimension(1), tensor.dimension(1));
    }

    @Override
    public int columns() {
        return Math.toIntExact(tensor.dimension(0));
    }

    @Override
    public void read(long row, int count, float[] target, int start) {
        GgmlType type = tensor.ggmlType();
        long rowBytes = type.bytes(columns());
        ByteBuffer data = data(Math.toIntExact(count * rowBytes));
        try {
            file.read(tensor, (firstRow + row) * rowBytes, data);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        decode(type, data.flip(), target, start, count * columns());
    }

    private static ByteBuffer data(int bytes) {
        ByteBuffer data = DATA.get();
        if (data.capacity() < bytes) {
            data = ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
            DATA.set(data);
        }
        return data.clear().limit(bytes);
    }

    private static void decode(GgmlType type, ByteBuffer data, float[] target, int start, int count) {
        switch (type) {
            case F32 -> ElementReader.read(SafetensorsType.F32, data, target, start, count);
            case F16 -> ElementReader.read(SafetensorsType.F16, data, target, start, count);
            case BF16 -> ElementReader.read(SafetensorsType.BF16, data, target, start, count);
            case Q8_0 -> {
                for (int i = 0; i < count; i += BLOCK) {
                    float scale = HalfFloats.plainFloat(data.getShort());
                    for (int j = 0; j < BLOCK; j++) {
                        target[start + i + j] = scale * data.get();
                    }
                }
            }
            default -> throw new IllegalArgumentException("type is " + type + ", must be one of " + TYPES);
        }
    }
}
