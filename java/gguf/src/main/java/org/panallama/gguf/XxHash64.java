package org.panallama.gguf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;

/**
 * XXH64 with the seed 0, as a digest of eight bytes, the highest first. Libraries have it, but this module needs nothing
 * beside the JDK.
 *
 * @see <a href="https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md">the specification of xxHash</a>
 */
final class XxHash64 extends MessageDigest {

    private static final long PRIME_1 = 0x9E3779B185EBCA87L;
    private static final long PRIME_2 = 0xC2B2AE3D27D4EB4FL;
    private static final long PRIME_3 = 0x165667B19E3779F9L;
    private static final long PRIME_4 = 0x85EBCA77C2B2AE63L;
    private static final long PRIME_5 = 0x27D4EB2F165667C5L;

    /** A lane for each eight bytes. */
    private static final int STRIPE = 4 * Long.BYTES;

    private final ByteBuffer pending = ByteBuffer.allocate(STRIPE).order(ByteOrder.LITTLE_ENDIAN); // less than a stripe
    private long length;
    private long lane1;
    private long lane2;
    private long lane3;
    private long lane4;

    XxHash64() {
        super("XXH64");
        engineReset();
    }

    @Override
    protected void engineReset() {
        pending.clear();
        length = 0;
        lane1 = PRIME_1 + PRIME_2;
        lane2 = PRIME_2;
        lane3 = 0;
        lane4 = -PRIME_1;
    }

    @Override
    protected int engineGetDigestLength() {
        return Long.BYTES;
    }

    @Override
    protected void engineUpdate(byte input) {
        engineUpdate(new byte[] {input}, 0, 1);
    }

    @Override
    protected void engineUpdate(byte[] input, int offset, int count) {
        engineUpdate(ByteBuffer.wrap(input, offset, count));
    }

    @Override
    protected void engineUpdate(ByteBuffer input) {
        length += input.remaining();
        if (pending.position() > 0) {
            fill(input);
        }
        ByteBuffer data = input.slice().order(ByteOrder.LITTLE_ENDIAN);
        int whole = data.remaining() / STRIPE * STRIPE;
        stripes(data, whole);
        input.position(input.position() + whole);
        pending.put(input);
    }

    /** Completes the stripe that the last update left. */
    private void fill(ByteBuffer input) {
        int count = Math.min(pending.remaining(), input.remaining());
        pending.put(input.slice().limit(count));
        input.position(input.position() + count);
        if (!pending.hasRemaining()) {
            stripes(pending, STRIPE);
            pending.clear();
        }
    }

    private void stripes(ByteBuffer data, int end) {
        long a = lane1;
        long b = lane2;
        long c = lane3;
        long d = lane4;
        for (int at = 0; at < end; at += STRIPE) {
            a = round(a, data.getLong(at));
            b = round(b, data.getLong(at + 8));
            c = round(c, data.getLong(at + 16));
            d = round(d, data.getLong(at + 24));
        }
        lane1 = a;
        lane2 = b;
        lane3 = c;
        lane4 = d;
    }

    private static long round(long lane, long input) {
        return Long.rotateLeft(lane + input * PRIME_2, 31) * PRIME_1;
    }

    @Override
    protected byte[] engineDigest() {
        long hash = (length < STRIPE ? PRIME_5 : converged()) + length;
        ByteBuffer rest = pending.flip();
        while (rest.remaining() >= Long.BYTES) {
            hash = Long.rotateLeft(hash ^ round(0, rest.getLong()), 27) * PRIME_1 + PRIME_4;
        }
        if (rest.remaining() >= Integer.BYTES) {
            hash = Long.rotateLeft(hash ^ Integer.toUnsignedLong(rest.getInt()) * PRIME_1, 23) * PRIME_2 + PRIME_3;
        }
        while (rest.hasRemaining()) {
            hash = Long.rotateLeft(hash ^ Byte.toUnsignedLong(rest.get()) * PRIME_5, 11) * PRIME_1;
        }
        engineReset();
        hash = (hash ^ hash >>> 33) * PRIME_2;
        hash = (hash ^ hash >>> 29) * PRIME_3;
        return ByteBuffer.allocate(Long.BYTES).putLong(hash ^ hash >>> 32).array();
    }

    private long converged() {
        long hash = Long.rotateLeft(lane1, 1)
                + Long.rotateLeft(lane2, 7)
                + Long.rotateLeft(lane3, 12)
                + Long.rotateLeft(lane4, 18);
        for (long lane : new long[] {lane1, lane2, lane3, lane4}) {
            hash = (hash ^ round(0, lane)) * PRIME_1 + PRIME_4;
        }
        return hash;
    }
}
