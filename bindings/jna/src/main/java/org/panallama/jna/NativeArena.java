package org.panallama.jna;

import static org.panallama.jna.NativeMemory.ALL;

import com.sun.jna.Native;
import java.util.ArrayList;
import java.util.List;

/** Native memory that is freed together. For one thread at a time. */
final class NativeArena implements AutoCloseable {

    private final List<Long> blocks = new ArrayList<>();

    /** Zeroed. */
    long allocate(long bytes) {
        long address = NativeMemory.allocate(bytes);
        blocks.add(address);
        return address;
    }

    /** A copy in UTF-8, with a terminator. */
    long text(String text) {
        byte[] utf8 = NativeMemory.utf8(text);
        long address = allocate(utf8.length);
        ALL.write(address, utf8, 0, utf8.length);
        return address;
    }

    /** Copies of the texts. */
    long[] texts(String[] texts) {
        long[] addresses = new long[texts.length];
        for (int i = 0; i < texts.length; i++) {
            addresses[i] = text(texts[i]);
        }
        return addresses;
    }

    long floats(float[] values) {
        long address = allocate((long) values.length * Float.BYTES);
        ALL.write(address, values, 0, values.length);
        return address;
    }

    @Override
    public void close() {
        blocks.forEach(Native::free);
        blocks.clear();
    }
}
