package org.panallama.tools.convert;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.panallama.gguf.GgmlType;

class FloatEncoderTest {

    /** The tests run on a JDK that has the conversion. */
    @Test
    void halvesAreThoseOfTheJdk() {
        Random random = new Random(5);
        for (int i = 0; i < 2_000_000; i++) {
            float value = Float.intBitsToFloat(random.nextInt());
            short half = FloatEncoder.half(value);
            if (Float.isNaN(value)) {
                assertThat(half & 0x7FFF).isGreaterThan(0x7C00);
            } else if (half != JdkHalf.of(value)) {
                throw new AssertionError(value + " becomes " + half + ", must be " + JdkHalf.of(value));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "-0.0, 8000",
        "1, 3c00",
        "65504, 7bff",
        "65519.996, 7bff",
        "65520, 7c00",
        "Infinity, 7c00",
        "5.9604645E-8, 1",
        "2.9802322E-8, 0",
        "2.9802326E-8, 1",
        "6.097555E-5, 3ff",
        "6.1035156E-5, 400",
        "1.0004883, 3c00"
    })
    void halvesAtTheEdges(float value, String bits) {
        assertThat(FloatEncoder.half(value) & 0xFFFF).isEqualTo(Integer.parseInt(bits, 16));
    }

    @Test
    void theTableIsTheFormula() {
        ByteBuffer all = ByteBuffer.allocate(1 << 17).order(ByteOrder.LITTLE_ENDIAN);
        for (int bits = 0; bits < 1 << 16; bits++) {
            all.putShort((short) bits);
        }
        ByteBuffer halves = ByteBuffer.allocate(1 << 17).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(BrainHalves.convert(all.flip(), halves)).isTrue();
        halves.flip();
        for (int bits = 0; bits < 1 << 16; bits++) {
            assertThat(halves.getShort()).isEqualTo(FloatEncoder.half(Float.intBitsToFloat(bits << 16)));
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
