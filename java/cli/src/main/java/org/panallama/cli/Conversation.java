package org.panallama.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.panallama.ChatSession;
import org.panallama.FinishReason;
import org.panallama.Generation;
import org.panallama.LlamaException;

/** What the user says and what comes of it: an answer, or the effect of a command that begins with a slash. */
final class Conversation {

    static final String HELP = """
            /reset        forget the conversation
            /system TEXT  set the system message, and forget the conversation; none without TEXT
            /undo         take the last question and its answer back
            /retry        answer the last question again
            /save FILE    save the conversation
            /load FILE    go on with a saved one
            /help         show this
            /exit         leave; so does Ctrl-D
            A line that ends in \\ goes on in the next one. A message that begins with / is written with two of them.
            Ctrl-C stops an answer.""";

    private final Streams streams;
    private final ChatInput input;
    private final Function<@Nullable String, ChatSession> sessions;
    private final boolean timings;
    private ChatSession session;
    private boolean over;
    private boolean failed;

    /**
     * @param sessions makes a session with a system message, or none
     * @param timings whether to report each answer's
     */
    Conversation(
            Streams streams,
            ChatInput input,
            Function<@Nullable String, ChatSession> sessions,
            @Nullable String system,
            boolean timings) {
        this.streams = streams;
        this.input = input;
        this.sessions = sessions;
        this.timings = timings;
        this.session = sessions.apply(system);
    }

    /**
     * Goes on until the input ends or the user leaves.
     *
     * @return whether everything asked for was done
     */
    boolean run() {
        while (!over) {
            String line = input.next();
            if (line == null) {
                break;
            }
            try (Interruption interruption = new Interruption(streams.signals())) {
                attempt(line, interruption);
                over |= interruption.requested();
            }
        }
        return !failed;
    }

    private void attempt(String line, Interruption interruption) {
        try {
            accept(line, interruption);
        } catch (LlamaException | IllegalArgumentException | IllegalStateException e) {
            failed = true;
            streams.err().println("panallama: " + ErrorReport.inOptions(String.valueOf(e.getMessage())));
        }
    }

    private void accept(String line, Interruption interruption) {
        if (line.isBlank()) {
            return;
        }
        if (!line.startsWith("/")) {
            print(session.send(line), interruption);
        } else if (line.startsWith("//")) {
            print(session.send(line.substring(1)), interruption);
        } else {
            String[] words = line.strip().split("\\s+", 2);
            command(words[0], words.length == 1 ? "" : words[1], interruption);
        }
    }

    private void command(String name, String argument, Interruption interruption) {
        switch (name) {
            case "/reset" -> {
                session.reset();
                tell("forgotten");
            }
            case "/system" -> {
                session = sessions.apply(argument.isEmpty() ? null : argument);
                tell(argument.isEmpty() ? "no system message" : "the system message is set");
            }
            case "/undo" ->
                tell(session.undo().map(question -> "taken back: " + question).orElse("nothing to take back"));
            case "/retry" -> print(session.regenerate(), interruption);
            case "/save" -> {
                session.save(file(name, argument));
                tell("saved");
            }
            case "/load" -> {
                session.load(file(name, argument));
                tell("loaded " + session.messages().size() + " messages");
            }
            case "/help" -> tell(HELP);
            case "/exit", "/quit" -> over = true;
            default ->
                throw new IllegalArgumentException("there is no command " + name
                        + "; /help lists them. A message that begins with / is written //");
        }
    }

    private static Path file(String command, String argument) {
        if (argument.isEmpty()) {
            throw new IllegalArgumentException(command + " needs the name of a file");
        }
        try {
            return Path.of(argument.strip());
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("'" + argument + "' is not a file name", e);
        }
    }

    /** Not a part of the conversation, so not for stdout. */
    private void tell(String text) {
        streams.err().println(text);
    }

    private void print(Generation answer, Interruption interruption) {
        input.onInterrupt(answer::cancel);
        interruption.cancels(answer::cancel);
        try {
            streams.out().stream(answer);
        } finally {
            input.onInterrupt(() -> {});
        }
        FinishReason reason = answer.finishReason().orElseThrow();
        if (reason == FinishReason.CONTEXT_FULL || reason == FinishReason.MAX_TOKENS) {
            tell(reason == FinishReason.MAX_TOKENS ? "(cut off: -n)" : "(cut off: the context is full)");
        }
        if (timings) {
            new GenerationReport(streams.err()).timings(answer);
        }
    }
}
