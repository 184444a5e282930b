package org.panallama.gguf;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;

/** Tells whether bytes are UTF-8; the JDK's decoder decides, once a byte is beyond ASCII. Not for several threads. */
final class Utf8 {

    // Vocabularies have a hundred thousand texts beyond ASCII.
    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    private final CharBuffer characters = CharBuffer.allocate(1 << 10);
    private ByteBuffer input = ByteBuffer.allocate(0);

    boolean isValid(byte[] bytes, int offset, int length) {
        for (int i = offset; i < offset + length; i++) {
            if (bytes[i] < 0) {
                if (input.array() != bytes) {
                    input = ByteBuffer.wrap(bytes);
                }
                return decodes(input.limit(offset + length).position(offset));
            }
        }
        return true;
    }

    private boolean decodes(ByteBuffer bytes) {
        decoder.reset();
        CoderResult result;
        do {
            result = decoder.decode(bytes, characters.clear(), true);
        } while (result.isOverflow());
        return !result.isError();
    }
}
