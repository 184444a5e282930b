package org.panallama.tools.convert;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.panallama.gguf.GgmlType;
import org.panallama.tools.safetensors.HalfFloats;

/** Writes floats in ggml's formats, bit for bit as ggml does. */
public final class FloatEncoder {

    private FloatEncoder() {}

    /**
     * Appends elements to a buffer.
     *
     * @param format F32, F16, BF16 or Q8_0
     * @param values the elements, from the first on
     * @param count of elements; whole blocks
     * @param out gets them at its position, little-endian
     * @return whether finite elements became infinite
     * @throws IllegalArgumentException if it is another format
     */
    public static boolean encode(GgmlType format, float[] values, int count, ByteBuffer out) {
        out.order(ByteOrder.LITTLE_ENDIAN);
        switch (format) {
            case F32 -> {
                out.asFloatBuffer().put(values, 0, count);
                out.position(out.position() + count * Float.BYTES);
                return false;
            }
            case F16 -> {
                return HalfFloats.toF16(values, count, out);
            }
            case BF16 -> {
                HalfFloats.toBf16(values, count, out);
                return false;
            }
            case Q8_0 -> {
                return Q8Blocks.encode(values, count, out);
            }
            default -> throw new IllegalArgumentException("format is " + format + ", must be F32, F16, BF16 or Q8_0");
        }
    }
}
