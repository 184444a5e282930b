package org.panallama.internal;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;

/** The backslash escapes in which RWKV vocabularies write bytes that are not text. */
final class RwkvEscapes {
    private RwkvEscapes() {}

    /** Returns the bytes that an escaped token stands for, reading odd escapes as leniently as llama.cpp does. */
    static byte[] decode(ByteBuffer escaped) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(escaped.remaining());
        ByteBuffer in = escaped.duplicate();
        while (in.hasRemaining()) {
            byte c = in.get();
            if (c != '\\') {
                out.write(c);
            } else if (in.hasRemaining()) {
                byte kind = in.get();
                switch (kind) {
                    case 't' -> out.write('\t');
                    case 'n' -> out.write('\n');
                    case 'r' -> out.write('\r');
                    case 'x' -> {
                        if (in.remaining() >= 2) {
                            out.write((digit(in.get()) << 4) + digit(in.get()));
                        } else {
                            in.position(in.limit());
                        }
                    }
                    default -> out.write(kind);
                }
            }
        }
        return out.toByteArray();
    }

    private static int digit(byte c) {
        return c >= 'a' ? c - 'a' + 10 : c - '0';
    }
}
