package org.panallama.tools.convert;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Turns bfloat16 into half precision by a table of all 65536, of which a model's weights use a few kilobytes. */
final class BrainHalves {

    /** Magnitudes from 65536, the first that half precision does not have, to before infinity. */
    private static final int FIRST_TOO_LARGE = 0x4780;

    private static final int INFINITY = 0x7F80;

    private static final short[] TABLE = new short[1 << Short.SIZE];

    static {
        for (int bits = 0; bits < TABLE.length; bits++) {
            TABLE[bits] = FloatEncoder.half(Float.intBitsToFloat(bits << Short.SIZE));
        }
    }

    private BrainHalves() {}

    /**
     * Appends all that remains in a buffer to another.
     *
     * @return whether finite elements became infinite
     */
    static boolean convert(ByteBuffer brain, ByteBuffer out) {
        short[] values = new short[brain.remaining() / Short.BYTES];
        brain.asShortBuffer().get(values);
        boolean overflow = false;
        for (int i = 0; i < values.length; i++) {
            int bits = values[i] & 0xFFFF;
            int magnitude = bits & 0x7FFF;
            overflow |= magnitude >= FIRST_TOO_LARGE & magnitude < INFINITY;
            values[i] = TABLE[bits];
        }
        out.order(ByteOrder.LITTLE_ENDIAN).asShortBuffer().put(values);
        out.position(out.position() + values.length * Short.BYTES);
        return overflow;
    }
}
