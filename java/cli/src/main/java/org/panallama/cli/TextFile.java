package org.panallama.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.panallama.LlamaException;

/** Text that a user named a file for, or {@code -} for stdin. */
final class TextFile {

    private TextFile() {}

    /**
     * The whole text.
     *
     * @throws LlamaException if it cannot be read, or is not UTF-8
     */
    static String read(String name, InputStream stdin) {
        Path path = Path.of(name);
        try {
            byte[] bytes = name.equals("-") ? stdin.readAllBytes() : Files.readAllBytes(path);
            // Decodes strictly, unlike new String().
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (IOException e) {
            throw new LlamaException(problem(path, e), e);
        }
    }

    /** The text without the line feed at its end, which an editor or {@code echo} put there. */
    static String withoutLastLineFeed(String text) {
        return text.endsWith("\r\n")
                ? text.substring(0, text.length() - 2)
                : text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
    }

    static String problem(Path path, IOException e) {
        String name = path.toString().equals("-") ? "stdin" : path.toString();
        if (e instanceof NoSuchFileException) {
            return name + ": no such file";
        }
        if (Files.isDirectory(path)) {
            return name + ": is a directory, not a text file";
        }
        if (e instanceof CharacterCodingException) {
            return name + ": is not UTF-8 text";
        }
        return name + ": cannot be read: " + e.getMessage();
    }
}
