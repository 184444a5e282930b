package org.panallama.internal;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Decodes UTF-8 that comes in pieces cut anywhere: what is still incomplete waits for the next piece. Malformed bytes become
 * U+FFFD. Not thread-safe.
 */
public final class Utf8Decoder {

    private static final int LONGEST = 4; // bytes of a character

    private final CharsetDecoder decoder = StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private ByteBuffer bytes = ByteBuffer.allocate(64); // filled from 0 to position
    private CharBuffer chars = CharBuffer.allocate(64);

    /** The characters that are complete with these bytes. */
    public String decode(byte[] piece) {
        if (bytes.remaining() < piece.length) {
            ByteBuffer larger = ByteBuffer.allocate((bytes.position() + piece.length) * 2);
            larger.put(bytes.flip());
            bytes = larger;
            chars = CharBuffer.allocate(larger.capacity());
        }
        bytes.put(piece).flip();
        decoder.decode(bytes, chars, false);
        bytes.compact();
        return take();
    }

    /** The end of the text: an incomplete character becomes U+FFFD. */
    public String finish() {
        bytes.flip();
        decoder.decode(bytes, chars, true);
        decoder.flush(chars);
        decoder.reset();
        bytes.clear();
        return take();
    }

    /** Whether a character is incomplete. */
    public boolean isPending() {
        return bytes.position() > 0;
    }

    /** A decoder in the same state. */
    public Utf8Decoder copy() {
        Utf8Decoder copy = new Utf8Decoder();
        ByteBuffer pending = bytes.duplicate().flip();
        copy.bytes =
                ByteBuffer.allocate(Math.max(64, pending.remaining() + LONGEST)).put(pending);
        return copy;
    }

    private String take() {
        String text = chars.flip().toString();
        chars.clear();
        return text;
    }
}
