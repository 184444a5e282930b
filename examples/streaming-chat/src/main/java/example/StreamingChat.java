package example;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.panallama.ChatSession;
import org.panallama.Context;
import org.panallama.ContextFullPolicy;
import org.panallama.FinishReason;
import org.panallama.Generation;
import org.panallama.GenerationOptions;
import org.panallama.LlamaException;
import org.panallama.Model;
import org.panallama.Sampler;
import org.panallama.Usage;
import org.panallama.tiny.TinyModel;

/** A conversation on the console: answers appear as they are generated, and every turn computes only what is new. */
public final class StreamingChat {

    private static final String USAGE =
            """
            usage: streaming-chat [OPTION]... [QUESTION]...
              --model FILE     a GGUF file; the embedded tiny model by default
              --system TEXT    instructions for the whole conversation
              --stop TEXT      ends an answer where this text would come; may be repeated
              --max-tokens N   ends an answer after so many tokens; 512 by default
            Without questions it reads them from the console, one per line. /reset forgets the conversation, /undo the last
            question; the end of the input (Ctrl-D) ends it.""";

    private Path model;
    private String system;
    private final List<String> stop = new ArrayList<>();
    private int maxTokens = 512;
    private final List<String> questions = new ArrayList<>();

    public static void main(String[] args) throws IOException {
        StreamingChat chat = new StreamingChat();
        try {
            chat.parse(args);
            chat.run();
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage() + "\n" + USAGE);
            System.exit(2);
        } catch (LlamaException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    private void parse(String[] args) {
        for (int i = 0; i < args.length; i++) {
            if (!args[i].startsWith("--")) {
                questions.add(args[i]);
                continue;
            }
            String option = args[i];
            if (++i == args.length) {
                throw new IllegalArgumentException(option + " needs a value");
            }
            switch (option) {
                case "--model" -> model = Path.of(args[i]);
                case "--system" -> system = args[i];
                case "--stop" -> stop.add(args[i]);
                case "--max-tokens" -> maxTokens = number(option, args[i]);
                default -> throw new IllegalArgumentException("unknown option " + option);
            }
        }
    }

    private static int number(String option, String value) {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(option + " is " + value + ", must be a number", e);
        }
    }

    private void run() throws IOException {
        GenerationOptions options = GenerationOptions.builder()
                .maxTokens(maxTokens)
                .stop(stop)
                .stripLeadingSpace(true)
                .build();
        try (Model loaded = Model.load(model == null ? TinyModel.path() : model);
                Context context = loaded.newContext();
                Sampler sampler = Sampler.builder().temperature(0.2f).topP(0.9f).seed(42).build()) {
            ChatSession.Builder builder =
                    ChatSession.builder(context, sampler).options(options).whenFull(ContextFullPolicy.SHIFT);
            if (system != null) {
                builder.system(system);
            }
            ChatSession session = builder.build();
            if (questions.isEmpty()) {
                converse(session);
            }
            for (String question : questions) {
                System.out.println("> " + question);
                answer(session, question);
            }
        }
    }

    private static void converse(ChatSession session) throws IOException {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, consoleCharset()));
        while (true) {
            System.out.print("> ");
            System.out.flush();
            String line = lines.readLine();
            if (line == null) {
                System.out.println();
                return;
            }
            switch (line.strip()) {
                case "" -> {}
                case "/reset" -> session.reset();
                case "/undo" -> session.undo();
                default -> answer(session, line);
            }
        }
    }

    private static void answer(ChatSession session, String question) {
        PrintStream out = new PrintStream(System.out, true, consoleCharset());
        Generation answer = session.send(question);
        for (String piece : answer) {
            out.print(piece);
            out.flush();
        }
        Usage usage = answer.usage();
        FinishReason reason = answer.finishReason().orElseThrow();
        out.printf(
                "%n[%s; %d tokens of prompt, %d of them remembered; %d generated, %.0f a second]%n",
                reason,
                usage.promptTokens(),
                usage.reusedTokens(),
                usage.generatedTokens(),
                answer.timings().generatedTokensPerSecond());
    }

    private static Charset consoleCharset() {
        return System.console() == null ? StandardCharsets.UTF_8 : System.console().charset();
    }
}
