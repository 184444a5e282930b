package example;

import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.panallama.ContextFullException;
import org.panallama.FinishReason;
import org.panallama.LlamaException;
import org.panallama.Model;
import org.panallama.Sampler;
import org.panallama.engine.Engine;
import org.panallama.engine.EngineRequest;
import org.panallama.tiny.TinyModel;

/**
 * Answers the prompts of a file, several at a time. Each answer is written as soon as it is there; what is in the output already
 * is not computed again, so that an interrupted run goes on where it was.
 */
public final class BatchFile {

    private static final String USAGE =
            """
            usage: batch-file IN.jsonl OUT.jsonl [MODEL]
              IN.jsonl    {"id": "a", "prompt": "...", "max_tokens": 256} per line; max_tokens may be left out
              OUT.jsonl   {"id": "a", "text": "...", "finish_reason": "..."} per line, in the order of completion, or
                          {"id": "a", "error": "..."}; what it holds is not asked again
              MODEL       a GGUF file; the embedded tiny model by default""";

    private static final int PARALLEL = 8;
    private static final int CONTEXT_LENGTH = 2048; // of all that are computed at the same time; longer texts need more
    private static final Gson GSON = new Gson();

    record Prompt(String id, String prompt, Integer max_tokens) {}
    record Answer(String id, String text, FinishReason finish_reason, String error) {}

    public static void main(String[] args) throws InterruptedException {
        if (args.length < 2 || args.length > 3) {
            System.err.println(USAGE);
            System.exit(2);
        }
        try {
            run(Path.of(args[0]), Path.of(args[1]), args.length > 2 ? Path.of(args[2]) : TinyModel.path());
        } catch (IOException | LlamaException | IllegalArgumentException | CompletionException e) {
            System.err.println(e instanceof CompletionException ? e.getCause() : e);
            System.exit(1);
        }
    }

    static void run(Path in, Path out, Path model) throws IOException, InterruptedException {
        List<Prompt> prompts = prompts(in);
        Set<String> done = answered(out);
        prompts.removeIf(prompt -> done.contains(prompt.id));
        System.out.printf("%d answered before, %d to go%n", done.size(), prompts.size());
        List<CompletableFuture<Void>> written = new ArrayList<>();
        try (Model loaded = Model.load(model);
                Engine engine = Engine.open(loaded, PARALLEL, CONTEXT_LENGTH);
                Writer writer = Files.newBufferedWriter(out, CREATE, APPEND)) {
            for (Prompt prompt : prompts) {
                try {
                    // Waits while the engine's queue is full, so that a file of any length takes little memory.
                    written.add(engine.submit(request(loaded, prompt), Duration.ofDays(1))
                            .future()
                            .thenAccept(result -> write(
                                    writer, new Answer(prompt.id, result.text(), result.finishReason(), null))));
                } catch (ContextFullException | IllegalArgumentException e) {
                    write(writer, new Answer(prompt.id, null, null, e.getMessage())); // the others go on
                }
            }
            written.forEach(CompletableFuture::join);
        }
        System.out.printf("%d answered now, %d refused%n", written.size(), prompts.size() - written.size());
    }

    private static EngineRequest request(Model model, Prompt prompt) {
        return EngineRequest.builder(model.vocab().tokenize(prompt.prompt), Sampler.greedy())
                .maxTokens(prompt.max_tokens == null ? Integer.MAX_VALUE : prompt.max_tokens)
                .stripLeadingSpace(true)
                .build();
    }

    private static void write(Writer writer, Answer answer) {
        if (answer.finish_reason == FinishReason.CANCELLED) { // the engine was closed over another failure
            return;
        }
        synchronized (writer) {
            try {
                writer.write(GSON.toJson(answer) + "\n");
                writer.flush();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static List<Prompt> prompts(Path in) throws IOException {
        List<Prompt> prompts = new ArrayList<>();
        Set<String> ids = new HashSet<>();
        List<String> lines = Files.readAllLines(in);
        for (int i = 0; i < lines.size(); i++) {
            String where = in + ":" + (i + 1);
            Prompt prompt = parse(where, lines.get(i), Prompt.class);
            if (prompt == null || prompt.id == null || prompt.prompt == null || !ids.add(prompt.id)) {
                throw new IllegalArgumentException(where + ": needs a prompt, and an id of its own");
            }
            prompts.add(prompt);
        }
        return prompts;
    }

    /** The ids in the output. A last line without its end was cut off by what ended that run, and is taken away. */
    private static Set<String> answered(Path out) throws IOException {
        Set<String> ids = new HashSet<>();
        if (Files.exists(out)) {
            byte[] bytes = Files.readAllBytes(out);
            int end = new String(bytes, StandardCharsets.ISO_8859_1).lastIndexOf('\n') + 1;
            try (FileChannel file = FileChannel.open(out, WRITE)) {
                file.truncate(end);
            }
            for (String line : new String(bytes, 0, end, StandardCharsets.UTF_8).lines().toList()) {
                ids.add(parse(out.toString(), line, Answer.class).id);
            }
        }
        return ids;
    }

    private static <T> T parse(String where, String line, Class<T> type) {
        try {
            return GSON.fromJson(line, type);
        } catch (JsonParseException e) {
            throw new IllegalArgumentException(where + ": " + e.getMessage(), e);
        }
    }
}
