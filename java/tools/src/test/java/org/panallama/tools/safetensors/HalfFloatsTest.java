package org.panallama.tools.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HalfFloatsTest {

    private static final int ALL = 1 << Short.SIZE;

    /** The tests run on a JDK that has the conversion. */
    @Test
    void plainHalvesAreThoseOfTheJdk() {
        Random random = new Random(5);
        for (int i = 0; i < 2_000_000; i++) {
            float value = Float.intBitsToFloat(random.nextInt());
            assertSameHalf(HalfFloats.plainHalf(value), JdkHalf.of(value), value);
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
        assertThat(HalfFloats.plainHalf(value) & 0xFFFF).isEqualTo(Integer.parseInt(bits, 16));
    }

    @Test
    void everyNumberOf16BitsIsRead() {
        ByteBuffer all = little(2 * ALL);
        for (int bits = 0; bits < ALL; bits++) {
            all.putShort((short) bits);
        }
        float[] brains = new float[ALL + 1];
        float[] halves = new float[ALL + 1];
        HalfFloats.fromBf16(all.flip(), brains, 1, ALL);
        HalfFloats.fromF16(all, halves, 1, ALL);
        for (int bits = 0; bits < ALL; bits++) {
            assertThat(Float.floatToRawIntBits(brains[bits + 1])).isEqualTo(bits << 16);
            assertThat(Float.compare(halves[bits + 1], HalfFloats.plainFloat((short) bits)))
                    .isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 31, 2047, 2048, 2049, 100_001})
    void manyNumbersAreWhatEachIs(int count) {
        Random random = new Random(count);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = Float.intBitsToFloat(random.nextInt());
        }
        ByteBuffer out = little(4 * count + 1);
        out.put((byte) 1); // no alignment
        HalfFloats.toBf16(values, count, out);
        HalfFloats.toF16(values, count, out);
        assertThat(out.remaining()).isZero();
        float[] read = new float[count];
        HalfFloats.fromBf16(out.slice(1, 2 * count).order(ByteOrder.LITTLE_ENDIAN), read, 0, count);
        for (int i = 0; i < count; i++) {
            int bits = Float.floatToRawIntBits(values[i]);
            short brain = out.getShort(1 + 2 * i);
            if (Float.isNaN(values[i])) {
                assertThat(Float.intBitsToFloat(brain << 16)).isNaN();
            } else {
                assertThat(brain).isEqualTo((short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16));
            }
            assertThat(Float.floatToRawIntBits(read[i])).isEqualTo(brain << 16);
            assertSameHalf(out.getShort(1 + 2 * count + 2 * i), HalfFloats.plainHalf(values[i]), values[i]);
        }
    }

    @ParameterizedTest
    @CsvSource({"65519.996, false", "-65520, true", "1e38, true", "Infinity, false", "-Infinity, false", "NaN, false"})
    void finiteNumbersThatBecomeInfiniteAreReported(float value, boolean reported) {
        for (int at : new int[] {0, 2046, 2047, 2048, 4000}) {
            float[] values = new float[4001];
            values[at] = value;
            assertThat(HalfFloats.toF16(values, values.length, little(2 * values.length)))
                    .isEqualTo(reported);
        }
    }

    private static void assertSameHalf(short half, short expected, float value) {
        boolean same = Float.isNaN(value) ? (half & 0x7FFF) > 0x7C00 && (half ^ expected) >= 0 : half == expected;
        if (!same) {
            throw new AssertionError(value + " becomes " + half + ", must be " + expected);
        }
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
