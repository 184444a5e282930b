package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.panallama.Generation;
import org.panallama.LlamaException;

/** The program's result on its way to stdout. Unlike a {@link java.io.PrintStream}, it does not hide that writing failed. */
final class Output {

    private final Writer writer;

    Output(OutputStream target) {
        writer = new BufferedWriter(new OutputStreamWriter(target, StandardCharsets.UTF_8));
    }

    /** The reader of the result has gone, as {@code head} does when it has seen enough. */
    static final class ClosedException extends RuntimeException {

        private static final long serialVersionUID = 1L;

        ClosedException(IOException cause) {
            super("stdout was closed", cause);
        }
    }

    /** Writes JSON. */
    @FunctionalInterface
    interface JsonBody {
        void write(JsonWriter json) throws IOException;
    }

    /** A step of writing. */
    @FunctionalInterface
    private interface Step {
        void run() throws IOException;
    }

    void print(String text) {
        attempt(() -> writer.write(text));
    }

    void line(String text) {
        print(text + "\n");
    }

    void flush() {
        attempt(writer::flush);
    }

    /** A text as it is generated, and a line feed at its end if it has none. */
    void stream(Generation generation) {
        String last = "";
        for (String piece : generation) {
            print(piece);
            flush();
            last = piece;
        }
        if (!last.endsWith("\n")) {
            print("\n");
            flush();
        }
    }

    /** One JSON value and the end of its line. */
    void json(JsonBody body) {
        attempt(() -> {
            // Closing it would close the writer.
            JsonWriter json = new JsonWriter(writer);
            json.setHtmlSafe(false);
            body.write(json);
            json.flush();
            writer.write('\n');
            writer.flush();
        });
    }

    private static void attempt(Step step) {
        try {
            step.run();
        } catch (IOException e) {
            // "Broken pipe" on Linux and macOS, "The pipe is being closed" on Windows; the JDK has no type for it.
            if (String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT).contains("pipe")) {
                throw new ClosedException(e);
            }
            throw new LlamaException("cannot write to stdout: " + e.getMessage(), e);
        }
    }
}
