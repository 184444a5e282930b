package org.panallama.tools.safetensors;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ShortBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The two formats of 16 bits from and to floats, many at a time, rounded to the nearest, ties to even. For any number of
 * threads.
 *
 * <p>Half precision: {@code Float.float16ToFloat} and its inverse, which came with JDK 20, are vector instructions in loops
 * over arrays. bfloat16: the compiler makes those of integers of one size and of casts between int and long, but neither of
 * casts between a float and its bits nor of short loads that widen. So two numbers are taken as an int and become a long, and
 * what has one type and what has the other share memory that is copied in bulk.
 */
public final class HalfFloats {

    /** Numbers at a time: what is in between stays in the first-level cache. */
    private static final int CHUNK = 2048;

    private static final ThreadLocal<HalfFloats> OF_THREAD = ThreadLocal.withInitial(HalfFloats::new);

    private static final @Nullable MethodHandle TO_FLOAT = ofFloat("float16ToFloat", float.class, short.class);
    private static final @Nullable MethodHandle TO_HALF = ofFloat("floatToFloat16", short.class, float.class);

    private final short[] halves = new short[CHUNK];
    private final float[] floats = new float[CHUNK];
    private final int[] bits = new int[CHUNK];
    private final int[] packed = new int[CHUNK / 2];
    private final long[] pairs = new long[CHUNK / 2];
    private final ByteBuffer shared =
            ByteBuffer.allocateDirect(CHUNK * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final ShortBuffer asShorts = shared.asShortBuffer();
    private final IntBuffer asInts = shared.asIntBuffer();
    private final LongBuffer asLongs = shared.asLongBuffer();
    private final FloatBuffer asFloats = shared.asFloatBuffer();

    private HalfFloats() {}

    private static @Nullable MethodHandle ofFloat(String name, Class<?> result, Class<?> argument) {
        try {
            return MethodHandles.lookup().findStatic(Float.class, name, MethodType.methodType(result, argument));
        } catch (ReflectiveOperationException e) {
            return null; // before JDK 20
        }
    }

    /** Reads bfloat16 from the beginning of little-endian data. */
    static void fromBf16(ByteBuffer data, float[] target, int start, int count) {
        OF_THREAD.get().readBf16(data, target, start, count);
    }

    /** Reads half precision from the beginning of little-endian data. */
    static void fromF16(ByteBuffer data, float[] target, int start, int count) {
        OF_THREAD.get().readF16(data, target, start, count);
    }

    /** Appends bfloat16 to a little-endian buffer; NaN stays NaN. */
    public static void toBf16(float[] values, int count, ByteBuffer out) {
        OF_THREAD.get().writeBf16(values, count, out);
    }

    /**
     * Appends half precision to a little-endian buffer.
     *
     * @return whether finite numbers became infinite
     */
    public static boolean toF16(float[] values, int count, ByteBuffer out) {
        return OF_THREAD.get().writeF16(values, count, out);
    }

    private void readBf16(ByteBuffer data, float[] target, int start, int count) {
        IntBuffer source = data.asIntBuffer();
        for (int done = 0; done + 1 < count; done += CHUNK) {
            int n = Math.min(CHUNK, count - done) / 2;
            source.get(packed, 0, n);
            widen(packed, pairs, n);
            asLongs.clear().put(pairs, 0, n);
            asFloats.clear().get(target, start + done, 2 * n);
        }
        if (count % 2 != 0) {
            target[start + count - 1] = Float.intBitsToFloat(data.getShort(data.position() + 2 * (count - 1)) << 16);
        }
    }

    private static void widen(int[] from, long[] to, int count) {
        for (int i = 0; i < count; i++) {
            long two = from[i];
            to[i] = (two & 0xFFFF_0000L) << 32 | (two & 0xFFFFL) << 16;
        }
    }

    private void writeBf16(float[] values, int count, ByteBuffer out) {
        for (int done = 0; done < count; done += CHUNK) {
            int n = Math.min(CHUNK, count - done);
            asFloats.clear().put(values, done, n);
            asInts.clear().get(bits, 0, n);
            round(bits, n);
            asInts.clear().put(bits, 0, n);
            asLongs.clear().get(pairs, 0, (n + 1) / 2);
            narrow(pairs, packed, (n + 1) / 2);
            out.asIntBuffer().put(packed, 0, n / 2);
            out.position(out.position() + n / 2 * Integer.BYTES);
            if (n % 2 != 0) {
                out.putShort((short) packed[n / 2]);
            }
        }
    }

    /** The upper halves become the rounded numbers. */
    private static void round(int[] bits, int count) {
        for (int i = 0; i < count; i++) {
            int rounded = bits[i] + 0x7FFF + (bits[i] >>> 16 & 1);
            int nan = 0x7F80_0000 - (bits[i] & 0x7FFF_FFFF) >> 31; // all ones if it is one
            bits[i] = rounded & ~nan | (bits[i] | 0x40_0000) & nan;
        }
    }

    private static void narrow(long[] from, int[] to, int count) {
        for (int i = 0; i < count; i++) {
            to[i] = (int) (from[i] >>> 16 & 0xFFFFL | from[i] >>> 32 & 0xFFFF_0000L);
        }
    }

    private void readF16(ByteBuffer data, float[] target, int start, int count) {
        ShortBuffer source = data.asShortBuffer();
        for (int done = 0; done < count; done += CHUNK) {
            int n = Math.min(CHUNK, count - done);
            source.get(halves, 0, n);
            if (TO_FLOAT == null) {
                for (int i = 0; i < n; i++) {
                    floats[i] = plainFloat(halves[i]);
                }
            } else {
                for (int i = 0; i < n; i++) {
                    floats[i] = jdkFloat(TO_FLOAT, halves[i]);
                }
            }
            System.arraycopy(floats, 0, target, start + done, n);
        }
    }

    private boolean writeF16(float[] values, int count, ByteBuffer out) {
        ShortBuffer target = out.asShortBuffer();
        boolean overflow = false;
        for (int done = 0; done < count; done += CHUNK) {
            int n = Math.min(CHUNK, count - done);
            if (TO_HALF == null) {
                for (int i = 0; i < n; i++) {
                    halves[i] = plainHalf(values[done + i]);
                }
            } else {
                for (int i = 0; i < n; i++) {
                    halves[i] = jdkHalf(TO_HALF, values[done + i]);
                }
            }
            target.put(halves, 0, n);
            overflow |= overflow(values, done, n);
        }
        out.position(out.position() + count * Short.BYTES);
        return overflow;
    }

    /** Whether one of the halves is infinite and was not. Only where the exponent is the highest, one by one. */
    private boolean overflow(float[] values, int first, int count) {
        int used = (count + 1) / 2;
        if (count % 2 != 0) {
            halves[count] = 0;
        }
        asShorts.clear().put(halves, 0, 2 * used);
        asInts.clear().get(packed, 0, used);
        if (!highestExponent(packed, used)) {
            return false;
        }
        for (int i = 0; i < count; i++) {
            if ((halves[i] & 0x7FFF) == 0x7C00 && Math.abs(values[first + i]) < Float.POSITIVE_INFINITY) {
                return true;
            }
        }
        return false;
    }

    private static boolean highestExponent(int[] twos, int count) {
        int found = 0;
        for (int i = 0; i < count; i++) {
            found |= (twos[i] & 0x7C00_7C00) + 0x0400_0400;
        }
        return (found & 0x8000_8000) != 0;
    }

    private static float jdkFloat(MethodHandle conversion, short half) {
        try {
            return (float) conversion.invokeExact(half);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static short jdkHalf(MethodHandle conversion, float value) {
        try {
            return (short) conversion.invokeExact(value);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Turns the bits of a half-precision number into a float.
     *
     * <p>The exponent is moved up by multiplying with 2^112, which also normalises subnormals; infinities and NaN, whose
     * exponent is all ones, are recognised by their size and multiplied once more.
     */
    public static float plainFloat(short half) {
        float magnitude = Float.intBitsToFloat((half & 0x7FFF) << 13) * 0x1p112f;
        if (magnitude >= 0x1p16f) {
            magnitude = Float.intBitsToFloat((half & 0x7FFF) << 13 | 0x7F80_0000);
        }
        return Float.intBitsToFloat(Float.floatToRawIntBits(magnitude) | (half & 0x8000) << 16);
    }

    /**
     * Rounds to the nearest half, ties to even.
     *
     * <p>Normal numbers: the exponent is rebased and 13 bits are rounded off. Subnormal ones: adding a half, whose last bit
     * is worth the smallest half-precision number, rounds at the right place.
     */
    public static short plainHalf(float value) {
        int bits = Float.floatToRawIntBits(value);
        int magnitude = bits & 0x7FFF_FFFF;
        int normal = Math.min(magnitude - 0x3800_0000 + 0xFFF + (magnitude >>> 13 & 1) >> 13, 0x7C00);
        int subnormal = Float.floatToRawIntBits(Float.intBitsToFloat(magnitude) + 0.5f) - 0x3F00_0000;
        int finite = magnitude < 0x3880_0000 ? subnormal : normal;
        return (short) (bits >>> 16 & 0x8000 | (magnitude > 0x7F80_0000 ? 0x7E00 : finite));
    }
}
