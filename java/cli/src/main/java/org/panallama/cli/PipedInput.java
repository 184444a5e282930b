package org.panallama.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.panallama.LlamaException;

/** Messages from a file or another program. */
final class PipedInput implements ChatInput {

    private final BufferedReader reader;

    PipedInput(InputStream in) {
        // A decoder, unlike a charset, refuses what is not UTF-8.
        this.reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
    }

    @Override
    public @Nullable String next() {
        try {
            String line = reader.readLine();
            if (line == null) {
                return null;
            }
            StringBuilder message = new StringBuilder(line);
            while (line != null && line.endsWith(CONTINUED)) {
                message.setLength(message.length() - CONTINUED.length());
                line = reader.readLine();
                if (line != null) {
                    message.append('\n').append(line);
                }
            }
            return message.toString();
        } catch (IOException e) {
            throw new LlamaException(TextFile.problem(Path.of("-"), e), e);
        }
    }

    /** Ctrl-C is a signal to the process. */
    @Override
    public void onInterrupt(Runnable action) {}

    /** The stream is the caller's. */
    @Override
    public void close() {}
}
