package org.panallama.internal;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.GrammarRules.CharSet;

/**
 * The beginning of a character in UTF-8, as llama.cpp's grammar keeps it between two tokens.
 *
 * @param value the bits so far
 * @param missing how many bytes are to come
 */
record Utf8Prefix(int value, int missing) {

    static final Utf8Prefix NONE = new Utf8Prefix(0, 0);

    private static final int BITS = 6; // of a continuation byte

    /** The characters that are complete, and the beginning of the next one. */
    record Decoded(int[] characters, Utf8Prefix rest) {}

    boolean isNone() {
        return missing == 0;
    }

    /**
     * Goes on with more bytes, as far as a NUL, and as forgivingly as llama.cpp does.
     *
     * @return null if llama.cpp takes the bytes for malformed
     */
    @Nullable Decoded decode(byte[] bytes) {
        int[] characters = new int[bytes.length + 1];
        int count = 0;
        int bits = value;
        int left = missing;
        int at = 0;
        for (; at < bytes.length && bytes[at] != 0 && left > 0; at++, left--) {
            if ((bytes[at] & 0xC0) != 0x80) {
                return null;
            }
            bits = bits << BITS | bytes[at] & 0x3F;
        }
        if (missing > 0 && left == 0) {
            characters[count++] = bits;
        }
        while (at < bytes.length && bytes[at] != 0) {
            left = following(bytes[at]);
            if (left < 0) {
                return null;
            }
            bits = bytes[at++] & (1 << 7 - left) - 1;
            for (; at < bytes.length && bytes[at] != 0 && left > 0; at++, left--) {
                bits = (bits << BITS) + (bytes[at] & 0x3F);
            }
            if (left == 0) {
                characters[count++] = bits;
            }
        }
        return new Decoded(Arrays.copyOf(characters, count), left == 0 ? NONE : new Utf8Prefix(bits, left));
    }

    /** How many bytes follow a first one; -1 if it is none. */
    private static int following(byte first) {
        if (first >= 0) {
            return 0;
        }
        int high = (first & 0xF0) >> 4;
        return high < 0xC ? -1 : high < 0xE ? 1 : high - 0xC;
    }

    /** Whether llama.cpp lets it pass as the beginning of one of these characters. */
    boolean mayBecome(CharSet characters) {
        if (missing == 1 && value < 2) {
            return false; // a longer form than the character needs
        }
        int lowest = value << missing * BITS;
        int highest = lowest | (1 << missing * BITS) - 1;
        if (lowest == 0) {
            lowest = missing == 2 ? 1 << 11 : missing == 3 ? 1 << 16 : 0;
        }
        return characters.mayContain(lowest, highest);
    }
}
