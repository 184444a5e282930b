package org.panallama.tools.lora;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.panallama.gguf.GgmlType;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufTensor;
import org.panallama.tools.safetensors.ElementReader;
import org.panallama.tools.safetensors.HalfFloats;
import org.panallama.tools.safetensors.SafetensorsType;

/**
 * Rows of a GGUF file's tensor, of the types that can be both read and written. They are mapped into memory, so that the system
 * reads ahead of the threads that take rows in turns.
 */
final class GgufMatrix implements Matrix {

    /** The types of which numbers can be made here, and which can be made of numbers. */
    static final Set<GgmlType> TYPES = Set.of(GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q8_0);

    private static final int BLOCK = GgmlType.Q8_0.blockSize();

    /** Bytes of a window, more or less: a buffer cannot hold the largest tensors. */
    private static final int WINDOW = 1 << 28;

    private final GgufFile file;
    private final GgufTensor tensor;
    private final long firstRow;
    private final long rows;
    private final int rowBytes;
    private final int windowRows;
    private final AtomicReferenceArray<ByteBuffer> windows;

    private GgufMatrix(GgufFile file, GgufTensor tensor, long firstRow, long rows) {
        if (tensor.dimension(0) > MAX_COLUMNS) {
            throw new LoraException("tensor '" + tensor.name() + "' in " + file.path() + " has the shape "
                    + tensor.shape() + ", rows must have from 1 to " + MAX_COLUMNS + " elements");
        }
        this.file = file;
        this.tensor = tensor;
        this.firstRow = firstRow;
        this.rows = rows;
        this.rowBytes = Math.toIntExact(tensor.ggmlType().bytes(tensor.dimension(0)));
        this.windowRows = Math.max(1, WINDOW / rowBytes);
        this.windows = new AtomicReferenceArray<>(Math.toIntExact((rows + windowRows - 1) / windowRows));
    }

    static GgufMatrix of(GgufFile file, GgufTensor tensor) {
        return new GgufMatrix(file, tensor, 0, tensor.elements() / tensor.dimension(0));
    }

    /** One of the matrices that a tensor of three dimensions stacks. */
    static GgufMatrix slice(GgufFile file, GgufTensor tensor, long index) {
        return new GgufMatrix(file, tensor, index * tensor.dimension(1), tensor.dimension(1));
    }

    @Override
    public long rows() {
        return rows;
    }

    @Override
    public int columns() {
        return Math.toIntExact(tensor.dimension(0));
    }

    @Override
    public void read(long row, int count, float[] target, int start) {
        for (int done = 0; done < count; ) {
            int window = Math.toIntExact((row + done) / windowRows);
            int first = Math.toIntExact((row + done) % windowRows);
            int part = Math.min(count - done, windowRows - first);
            ByteBuffer data =
                    window(window).slice(first * rowBytes, part * rowBytes).order(ByteOrder.LITTLE_ENDIAN);
            decode(tensor.ggmlType(), data, target, start + done * columns(), part * columns());
            done += part;
        }
    }

    private ByteBuffer window(int index) {
        ByteBuffer window = windows.get(index);
        if (window == null) {
            long first = (long) index * windowRows;
            int length = Math.toIntExact(Math.min(windowRows, rows - first) * rowBytes);
            try {
                window = file.map(tensor, (firstRow + first) * rowBytes, length);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            windows.set(index, window);
        }
        return window;
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
