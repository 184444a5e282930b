package org.panallama.tools.safetensors;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/** A tensor of a checkpoint, whose data stay in the file until they are asked for. Immutable, for any number of threads. */
public final class SafetensorsTensor {

    private final SafetensorsEntry entry;
    private final Path file;
    private final MappedFile content;
    private final long offset;

    SafetensorsTensor(SafetensorsEntry entry, Path file, MappedFile content, long offset) {
        this.entry = entry;
        this.file = file;
        this.content = content;
        this.offset = offset;
    }

    /** Name, type and shape. */
    public SafetensorsEntry entry() {
        return entry;
    }

    /** The name. */
    public String name() {
        return entry.name();
    }

    /** Format of the elements. */
    public SafetensorsType type() {
        return entry.type();
    }

    /** Dimensions, the slowest-varying first. */
    public List<Long> shape() {
        return entry.shape();
    }

    /** Number of elements. */
    public long elements() {
        return entry.elements();
    }

    /** Size of the data. */
    public long bytes() {
        return entry.bytes();
    }

    /** The file that holds it. */
    public Path file() {
        return file;
    }

    /** Where the data begin in the file. */
    public long offset() {
        return offset;
    }

    /**
     * A part of the data as it stands in the file, without a copy.
     *
     * @param from first byte
     * @param length number of bytes, at most 2^30
     * @return read-only and little-endian
     * @throws IndexOutOfBoundsException if the tensor ends before
     * @throws IllegalArgumentException if it is longer than 2^30
     */
    public ByteBuffer slice(long from, int length) {
        Objects.checkFromIndexSize(from, length, bytes());
        if (length > MappedFile.MAX_SLICE) {
            throw new IllegalArgumentException("length is " + length + ", must be at most " + MappedFile.MAX_SLICE);
        }
        return content.slice(offset + from, length);
    }

    /**
     * Reads elements as single-precision numbers; integers and F64 are rounded to the nearest.
     *
     * @param first index of the first element, in the order of the file
     * @param target where they go
     * @param start index of the first in the target
     * @param count how many
     * @throws IndexOutOfBoundsException if the tensor or the target ends before
     * @throws SafetensorsException if the type is not {@linkplain SafetensorsType#readable() readable}
     */
    public void floats(long first, float[] target, int start, int count) {
        Objects.checkFromIndexSize(first, count, elements());
        Objects.checkFromIndexSize(start, count, target.length);
        if (!type().readable()) {
            throw new SafetensorsException(
                    file,
                    "tensor '" + name() + "' has the type " + type().name() + ", which cannot be read as numbers");
        }
        int width = type().bits() / Byte.SIZE;
        int done = 0;
        while (done < count) {
            int part = Math.min(count - done, ElementReader.CHUNK);
            ElementReader.read(type(), slice((first + done) * width, part * width), target, start + done, part);
            done += part;
        }
    }

    /**
     * Reads the whole tensor.
     *
     * @return the elements, the last dimension varying fastest
     * @throws SafetensorsException if the type is not {@linkplain SafetensorsType#readable() readable}, or there are more
     *     elements than an array holds
     */
    public float[] floats() {
        if (elements() > Integer.MAX_VALUE - 8) {
            throw new SafetensorsException(
                    file, "tensor '" + name() + "' has " + elements() + " elements, too many for one array");
        }
        float[] all = new float[(int) elements()];
        floats(0, all, 0, all.length);
        return all;
    }

    @Override
    public String toString() {
        return entry.toString();
    }
}
