package org.panallama.tools.convert;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.panallama.gguf.GgmlType;
import org.panallama.tools.safetensors.HalfFloats;

class FloatEncoderTest {

    /** By ggml's definition: the largest magnitude becomes 127, halves are rounded away from zero. */
    @Test
    void blocksAreThoseOfGgml() {
        Random random = new Random(3);
        float[] values = new float[32 * 1001];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * (i % 64 < 32 ? 0.02f : 1e-7f);
        }
        for (int i = 0; i < 32; i++) {
            values[i] = 127 - 3.5f * i; // every second is half-way
            values[32 + i] = 0;
        }
        ByteBuffer out = ByteBuffer.allocate(34 * 1001).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(FloatEncoder.encode(GgmlType.Q8_0, values, values.length, out))
                .isFalse();
        out.flip();
        for (int block = 0; block < values.length; block += 32) {
            float largest = 0;
            for (int i = block; i < block + 32; i++) {
                largest = Math.max(largest, Math.abs(values[i]));
            }
            float scale = largest / 127;
            float inverse = scale == 0 ? 0 : 1 / scale;
            assertThat(out.getShort()).isEqualTo(HalfFloats.plainHalf(scale));
            for (int i = block; i < block + 32; i++) {
                double scaled = values[i] * inverse;
                assertThat(out.get()).as("element %d", i).isEqualTo((byte)
                        (Math.signum(scaled) * Math.floor(Math.abs(scaled) + 0.5)));
            }
        }
    }

    @Test
    void overflowIsReported() {
        float[] values = new float[32];
        values[7] = 70000;
        assertThat(FloatEncoder.encode(GgmlType.F16, values, 32, ByteBuffer.allocate(64)))
                .isTrue();
        assertThat(FloatEncoder.encode(GgmlType.BF16, values, 32, ByteBuffer.allocate(64)))
                .isFalse();
        assertThat(FloatEncoder.encode(GgmlType.Q8_0, values, 32, ByteBuffer.allocate(34)))
                .isFalse();
        values[7] = 1e8f;
        assertThat(FloatEncoder.encode(GgmlType.Q8_0, values, 32, ByteBuffer.allocate(34)))
                .isTrue();
        values[7] = Float.POSITIVE_INFINITY;
        assertThat(FloatEncoder.encode(GgmlType.F16, values, 32, ByteBuffer.allocate(64)))
                .isFalse();
    }
}
