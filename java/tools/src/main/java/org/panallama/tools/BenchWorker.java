package org.panallama.tools;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.Llama;
import org.panallama.Model;
import org.panallama.ModelOptions;
import org.panallama.internal.NativeRuntime;

/**
 * The process of one side of a {@link Bench}: loads the model, then runs a test for each line of its input and answers with
 * the nanoseconds that it took. At {@code end} it closes the context and answers with the bytes of scratch memory that
 * Panallama's kernels had for it.
 */
final class BenchWorker {

    private static final long SEED = 42;

    /** A line of the variant's log when a context is closed. */
    private static final Pattern SCRATCH = Pattern.compile("^panallama: .* scratch (\\d+) bytes");

    private final Context context;
    private final int vocabSize;

    private BenchWorker(Context context, int vocabSize) {
        this.context = context;
        this.vocabSize = vocabSize;
    }

    /** Arguments: the model, and the context's length, threads, batch and micro-batch. */
    public static void main(String[] args) throws IOException {
        ContextOptions options = ContextOptions.builder()
                .length(Integer.parseInt(args[1]))
                .threads(Integer.parseInt(args[2]))
                .batchThreads(Integer.parseInt(args[2]))
                .batch(Integer.parseInt(args[3]))
                .microBatch(Integer.parseInt(args[4]))
                .build();
        try (Model model = Model.load(
                        Path.of(args[0]), ModelOptions.builder().devices().build());
                Context context = model.newContext(options)) {
            say("variant", Llama.cpuVariant());
            say("version", Llama.version());
            say("type", model.description());
            say("bytes", model.sizeBytes());
            say("parameters", model.parameterCount());
            say("ready", "");
            new BenchWorker(context, model.vocab().size()).serve();
        } catch (RuntimeException e) {
            say("error", String.valueOf(e.getMessage()).replaceAll("\\R", " "));
        }
    }

    private void serve() throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        String line;
        while ((line = in.readLine()) != null && !line.equals("end")) {
            String[] words = line.split(" ");
            say("nanos", run(words[0].equals("prompt"), Integer.parseInt(words[1])));
        }
        say("scratch", closeAndCountScratch());
    }

    private long closeAndCountScratch() {
        long[] bytes = {0};
        NativeRuntime.get()
                .log()
                .listening(
                        text -> {
                            Matcher scratch = SCRATCH.matcher(text);
                            if (scratch.find()) {
                                bytes[0] += Long.parseLong(scratch.group(1));
                            }
                        },
                        () -> {
                            context.close();
                            return bytes;
                        });
        return bytes[0];
    }

    /** Random tokens, which spread over the experts as a text does; the same in every run. */
    private long run(boolean prompt, int count) {
        int[] tokens = new SplittableRandom(SEED).ints(count, 0, vocabSize).toArray();
        context.memory().clear();
        long start = System.nanoTime();
        if (prompt) {
            context.decode(tokens);
        } else {
            for (int token : tokens) {
                context.decode(token);
            }
        }
        return System.nanoTime() - start;
    }

    private static void say(String key, Object value) {
        System.out.println(key + " " + value);
    }
}
