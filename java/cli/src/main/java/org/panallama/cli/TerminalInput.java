package org.panallama.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jline.reader.EOFError;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;
import org.panallama.LlamaException;

/** Messages that a person types, with line editing and a history that outlives the program. */
final class TerminalInput implements ChatInput {

    private static final String PROMPT = "> ";
    private static final String CONTINUATION = ". ";

    private final PrintStream err;
    private final Terminal terminal;
    private final LineReader reader;
    private volatile Runnable interrupted = () -> {};

    /** Opens the terminal of the process. */
    TerminalInput(PrintStream err) {
        this.err = err;
        try {
            terminal = TerminalBuilder.builder()
                    .system(true)
                    // Prompts keep out of a redirected stdout.
                    .systemOutput(TerminalBuilder.SystemOutput.SysOutOrSysErr)
                    .encoding(StandardCharsets.UTF_8)
                    .build();
        } catch (IOException e) {
            throw new LlamaException("the terminal cannot be used: " + e.getMessage(), e);
        }
        terminal.handle(Terminal.Signal.INT, signal -> interrupted.run());
        LineReaderBuilder builder = LineReaderBuilder.builder()
                .terminal(terminal)
                .parser(new Continuation())
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true) // a "!" is just that
                .variable(LineReader.SECONDARY_PROMPT_PATTERN, CONTINUATION);
        Path history = historyFile();
        if (history != null) {
            builder.variable(LineReader.HISTORY_FILE, history);
        }
        reader = builder.build();
    }

    /** Asks for another line after a backslash; the message itself is not parsed into words. */
    private static final class Continuation implements Parser {

        private final Parser words =
                new DefaultParser().escapeChars(new char[0]).quoteChars(new char[0]);

        @Override
        public ParsedLine parse(String line, int cursor, ParseContext context) {
            if (context == ParseContext.ACCEPT_LINE && line.endsWith(CONTINUED)) {
                throw new EOFError(-1, -1, "the message goes on");
            }
            return words.parse(line, cursor, context);
        }
    }

    private static @Nullable Path historyFile() {
        Path folder = StateFolder.path();
        try {
            Files.createDirectories(folder);
            return folder.resolve("chat-history");
        } catch (IOException e) {
            return null; // a history is no reason not to chat
        }
    }

    @Override
    public @Nullable String next() {
        while (true) {
            try {
                return reader.readLine(PROMPT).replace(CONTINUED + "\n", "\n");
            } catch (UserInterruptException e) {
                err.println("(/exit or Ctrl-D to leave)");
            } catch (EndOfFileException e) {
                return null;
            }
        }
    }

    /** Ctrl-C stops the answer only. */
    @Override
    public void onInterrupt(Runnable action) {
        interrupted = action;
    }

    @Override
    public void close() {
        try {
            terminal.close();
        } catch (IOException e) {
            err.println("panallama: the terminal could not be restored: " + e.getMessage());
        }
    }
}
