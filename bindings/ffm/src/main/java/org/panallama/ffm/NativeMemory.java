package org.panallama.ffm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Native memory by address, and the text in it. */
final class NativeMemory {

    /** The whole address space: reading through it at a constant layout costs neither an object nor a restricted call. */
    static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    /** What most of llama.cpp's texts fit into; longer ones are asked for again. */
    private static final int FIRST_TEXT_BYTES = 1024;

    private NativeMemory() {}

    static MemorySegment pointer(long address) {
        return MemorySegment.ofAddress(address);
    }

    static MemorySegment at(long address, long bytes) {
        return ALL.asSlice(address, bytes);
    }

    static ByteBuffer view(long address, long bytes) {
        return at(address, bytes).asByteBuffer().order(ByteOrder.nativeOrder());
    }

    /** A copy in UTF-8, with a terminator. */
    static MemorySegment text(SegmentAllocator allocator, String text) {
        int nul = text.indexOf('\0');
        if (nul >= 0) {
            throw new IllegalArgumentException(
                    "text for llama.cpp must not contain a NUL character, but has one at index " + nul);
        }
        return allocator.allocateFrom(text);
    }

    /** Copies of the texts, and an array that points to them. */
    static MemorySegment texts(SegmentAllocator allocator, String[] texts) {
        MemorySegment array = allocator.allocate(ValueLayout.ADDRESS, texts.length);
        for (int i = 0; i < texts.length; i++) {
            array.setAtIndex(ValueLayout.ADDRESS, i, text(allocator, texts[i]));
        }
        return array;
    }

    /** The terminated text at a pointer that llama.cpp returned, or {@code null}; malformed UTF-8 is replaced. */
    static @Nullable String textOrNull(MemorySegment pointer) {
        return pointer.address() == 0 ? null : pointer.getString(0);
    }

    /** The same, where llama.cpp always has a text. */
    static String text(MemorySegment pointer) {
        return pointer.address() == 0 ? "" : pointer.getString(0);
    }

    /** One of llama.cpp's functions that write text into a buffer and return its full length, as {@code snprintf} does. */
    @FunctionalInterface
    interface TextWriter {
        int write(MemorySegment buffer, long size);
    }

    /** The text that {@code writer} writes; malformed UTF-8 is replaced. */
    static String text(TextWriter writer) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(FIRST_TEXT_BYTES);
            int length = writer.write(buffer, buffer.byteSize());
            if (length >= buffer.byteSize()) {
                buffer = arena.allocate(length + 1L);
                length = writer.write(buffer, buffer.byteSize());
            }
            if (length < 0) {
                throw new IndexOutOfBoundsException("llama.cpp has no text at this index");
            }
            return buffer.getString(0);
        }
    }

    /** One of llama.cpp's functions that fill an array, or return the negated count that they need. */
    @FunctionalInterface
    interface ArrayWriter {
        int write(MemorySegment array, int capacity);
    }

    static byte[] bytes(int guess, ArrayWriter writer) {
        return written(ValueLayout.JAVA_BYTE, guess, writer, array -> array.toArray(ValueLayout.JAVA_BYTE));
    }

    static int[] ints(int guess, ArrayWriter writer) {
        return written(ValueLayout.JAVA_INT, guess, writer, array -> array.toArray(ValueLayout.JAVA_INT));
    }

    /** What {@code writer} writes: once with the capacity that was guessed, and again with the right one if that was less. */
    private static <A> A written(
            ValueLayout element, int guess, ArrayWriter writer, Function<MemorySegment, A> toArray) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment array = arena.allocate(element, guess);
            int count = writer.write(array, guess);
            if (count == Integer.MIN_VALUE) {
                throw new IllegalArgumentException(
                        "the result has more than " + Integer.MAX_VALUE + " elements: pass the text in smaller parts");
            }
            if (count < 0) {
                array = arena.allocate(element, -count);
                count = writer.write(array, -count);
            }
            return toArray.apply(array.asSlice(0, count * element.byteSize()));
        }
    }
}
