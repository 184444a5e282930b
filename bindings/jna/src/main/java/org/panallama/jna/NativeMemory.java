package org.panallama.jna;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Native memory by address, and the text in it. */
final class NativeMemory {

    /** The whole address space: reading through it at an address makes no object. */
    static final Pointer ALL = new Pointer(0);

    static final int POINTER_BYTES = Long.BYTES;

    /** What most of llama.cpp's texts fit into; longer ones are asked for again. */
    private static final int FIRST_TEXT_BYTES = 1024;

    private NativeMemory() {}

    /** Zeroed memory, at least a byte of it, that goes back with {@link Native#free}. */
    static long allocate(long bytes) {
        long size = Math.max(bytes, 1);
        long address = Native.malloc(size);
        if (address == 0) {
            throw new OutOfMemoryError("cannot allocate " + size + " bytes of native memory");
        }
        ALL.setMemory(address, size, (byte) 0);
        return address;
    }

    /** In native byte order. */
    static ByteBuffer view(long address, long bytes) {
        return ALL.getByteBuffer(address, bytes);
    }

    static int[] ints(long address, int count) {
        return count == 0 ? new int[0] : ALL.getIntArray(address, count);
    }

    /** A Java truth as C's {@code bool}. */
    static byte bool(boolean value) {
        return (byte) (value ? 1 : 0);
    }

    /** UTF-8 with a terminator. */
    static byte[] utf8(String text) {
        int nul = text.indexOf('\0');
        if (nul >= 0) {
            throw new IllegalArgumentException(
                    "text for llama.cpp must not contain a NUL character, but has one at index " + nul);
        }
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return Arrays.copyOf(utf8, utf8.length + 1);
    }

    static byte @Nullable [] utf8OrNull(@Nullable String text) {
        return text == null ? null : utf8(text);
    }

    /** The terminated text at an address that llama.cpp returned, or {@code null}; malformed UTF-8 is replaced. */
    static @Nullable String textOrNull(long address) {
        return address == 0 ? null : ALL.getString(address, "UTF-8");
    }

    /** The same, where llama.cpp always has a text. */
    static String text(long address) {
        return address == 0 ? "" : ALL.getString(address, "UTF-8");
    }

    /** One of llama.cpp's functions that write text into a buffer and return its full length, as {@code snprintf} does. */
    @FunctionalInterface
    interface TextWriter {
        int write(byte[] buffer, long size);
    }

    /** The text that {@code writer} writes; malformed UTF-8 is replaced. */
    static String text(TextWriter writer) {
        byte[] buffer = new byte[FIRST_TEXT_BYTES];
        int length = writer.write(buffer, buffer.length);
        if (length >= buffer.length) {
            buffer = new byte[Math.addExact(length, 1)];
            length = writer.write(buffer, buffer.length);
        }
        if (length < 0) {
            throw new IndexOutOfBoundsException("llama.cpp has no text at this index");
        }
        return new String(buffer, 0, length, StandardCharsets.UTF_8);
    }

    /** One of llama.cpp's functions that fill an array, or return the negated count that they need. */
    @FunctionalInterface
    interface ArrayWriter<A> {
        int write(A array, int capacity);
    }

    static byte[] bytes(int guess, ArrayWriter<byte[]> writer) {
        byte[] array = new byte[guess];
        int count = writer.write(array, guess);
        if (count < 0) {
            array = new byte[needed(count)];
            count = writer.write(array, array.length);
        }
        return Arrays.copyOf(array, count);
    }

    static int[] ints(int guess, ArrayWriter<int[]> writer) {
        int[] array = new int[guess];
        int count = writer.write(array, guess);
        if (count < 0) {
            array = new int[needed(count)];
            count = writer.write(array, array.length);
        }
        return Arrays.copyOf(array, count);
    }

    private static int needed(int negated) {
        if (negated == Integer.MIN_VALUE) {
            throw new IllegalArgumentException(
                    "the result has more than " + Integer.MAX_VALUE + " elements: pass the text in smaller parts");
        }
        return -negated;
    }
}
