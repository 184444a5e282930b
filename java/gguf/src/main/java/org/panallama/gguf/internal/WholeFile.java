package org.panallama.gguf.internal;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads files whole that are small unless something else stands under their name, which must not fill the memory. */
public final class WholeFile {

    /** Ten times the largest that belongs to a model, which is a tokenizer. Trees of objects take several times that. */
    private static final long MAX_BYTES = 1L << 28;

    private WholeFile() {}

    /** @throws IOException if the file cannot be read, or is too large */
    public static byte[] bytes(Path file) throws IOException {
        requireSmall(file);
        return Files.readAllBytes(file);
    }

    /** @throws IOException if the file cannot be read, is too large, or is no text in UTF-8 */
    public static String text(Path file) throws IOException {
        requireSmall(file);
        try {
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new IOException("it is no text in UTF-8", e);
        }
    }

    private static void requireSmall(Path file) throws IOException {
        long size = Files.size(file);
        if (size > MAX_BYTES) {
            throw new IOException(
                    "it has " + size + " bytes, more than the " + (MAX_BYTES >> 20) + " MiB that it may have");
        }
    }
}
