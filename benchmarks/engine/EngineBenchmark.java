import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.panallama.Batch;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.Model;
import org.panallama.Sampler;
import org.panallama.engine.Completion;
import org.panallama.engine.Engine;
import org.panallama.engine.EngineRequest;
import org.panallama.engine.Result;

/** What an engine gains with many requests, and what it costs with one. Prints lines of a table. */
public final class EngineBenchmark {

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static final int PARALLEL = 8;
    private static final int CHUNK = 512;
    private static final int LONG_PROMPT = 4096;

    private final Model model;
    private final int threads;
    private final int vocabulary;

    private EngineBenchmark(Model model, int threads) {
        this.model = model;
        this.threads = threads;
        this.vocabulary = model.vocab().size();
    }

    public static void main(String[] args) throws InterruptedException {
        if (args.length != 4) {
            System.err.println("usage: EngineBenchmark throughput|first-token|overhead MODEL TOKENS|ROUNDS THREADS");
            System.exit(2);
        }
        try (Model model = Model.load(Path.of(args[1]))) {
            EngineBenchmark benchmark = new EngineBenchmark(model, Integer.parseInt(args[3]));
            int number = Integer.parseInt(args[2]);
            switch (args[0]) {
                case "throughput" -> benchmark.throughput(number);
                case "first-token" -> benchmark.firstToken(number);
                case "overhead" -> benchmark.overhead(number);
                default -> throw new IllegalArgumentException(args[0]);
            }
        }
    }

    private Context context(int sequences, int length) {
        return model.newContext(ContextOptions.builder()
                .sequences(sequences)
                .sharedCache(true)
                .length(length)
                .threads(threads)
                .batchThreads(threads)
                .build());
    }

    private int[] prompt(int length, int seed) {
        return new Random(seed).ints(length, 300, vocabulary).toArray();
    }

    private EngineRequest request(int[] prompt, int tokens) {
        return EngineRequest.builder(prompt, Sampler.greedy())
                .maxTokens(tokens)
                .ignoreEndOfGeneration(true)
                .build();
    }

    /** Eight requests together against the same ones one after the other, decoding only, twice in turns. */
    private void throughput(int tokens) {
        try (Engine engine = Engine.builder(context(PARALLEL, 2048)).chunk(CHUNK).build()) {
            engine.submit(request(prompt(16, 99), 4)).join();
            for (int run = 0; run < 2; run++) {
                Rate alone = decode(engine, tokens, 1, 100 * run);
                Rate together = decode(engine, tokens, PARALLEL, 100 * run + 50);
                System.out.printf(
                        "| %d requests, tokens/s | %.1f one by one | %.1f together | %.2f times |%n",
                        PARALLEL, alone.perSecond, together.perSecond, together.perSecond / alone.perSecond);
                System.out.printf(
                        "| tokens per second of CPU time | %.1f one by one | %.1f together | %.2f times |%n",
                        alone.perCpuSecond, together.perCpuSecond, together.perCpuSecond / alone.perCpuSecond);
            }
        }
    }

    private record Rate(double perSecond, double perCpuSecond) {}

    private Rate decode(Engine engine, int tokens, int atOnce, int seed) {
        long time = 0;
        long cpu = 0;
        long counted = 0;
        for (int done = 0; done < PARALLEL; done += atOnce) {
            List<Completion> running = new ArrayList<>();
            for (int i = 0; i < atOnce; i++) {
                running.add(engine.submit(request(prompt(8, seed + done + i), tokens)));
            }
            for (Completion completion : running) {
                completion.iterator().next(); // the prompts are computed
            }
            long began = System.nanoTime();
            long cpuBegan = SYSTEM.getProcessCpuTime();
            counted -= engine.stats().generatedTokens();
            running.forEach(Completion::join);
            time += System.nanoTime() - began;
            cpu += SYSTEM.getProcessCpuTime() - cpuBegan;
            counted += engine.stats().generatedTokens();
        }
        return new Rate(counted / (time * 1e-9), counted / (cpu * 1e-9));
    }

    /** A short request that comes while a long prompt is computed: its first token, in the time of a chunk of that prompt. */
    private void firstToken(int rounds) throws InterruptedException {
        try (Engine engine = Engine.builder(context(2, LONG_PROMPT + 512))
                .chunk(CHUNK)
                .build()) {
            engine.submit(request(prompt(CHUNK, 98), 2)).join();
            for (int round = 0; round < rounds; round++) {
                long steps = engine.stats().steps();
                long began = System.nanoTime();
                Completion slow = engine.submit(request(prompt(LONG_PROMPT, round), 1));
                while (engine.stats().steps() < steps + 2) {
                    Thread.sleep(1);
                }
                double chunk = (System.nanoTime() - began) / 2.0;
                long submitted = System.nanoTime();
                long before = engine.stats().steps();
                Completion quick = engine.submit(request(prompt(16, 50 + round), 4));
                quick.iterator().next();
                double first = System.nanoTime() - submitted;
                long taken = engine.stats().steps() - before;
                boolean behind = !slow.isDone();
                slow.join();
                System.out.printf(
                        "| first token behind %d tokens | %.2f s | chunk of %d: %.2f s | %.2f chunks, %d steps%s |%n",
                        LONG_PROMPT, first * 1e-9, CHUNK, chunk * 1e-9, first / chunk, taken, behind ? "" : " (NOT BEHIND)");
            }
        }
    }

    /**
     * One request at a time on the engine against a bare loop, in turns: CPU time per token, of the engine's thread and the one
     * that takes the answer. With one thread, which is the calling one, llama.cpp's work is in it.
     */
    private void overhead(int rounds) {
        int tokens = 200;
        int[] prompt = prompt(8, 1);
        double[] bare = new double[rounds];
        double[] engines = new double[rounds];
        double[] ratios = new double[rounds];
        long allocated = 0;
        try (Engine engine = Engine.builder(context(1, 512)).build();
                Context context = context(1, 512);
                Batch batch = Batch.tokens(16)) {
            long thread = Thread.getAllStackTraces().keySet().stream()
                    .filter(each -> each.getName().equals("panallama-engine"))
                    .findFirst()
                    .orElseThrow()
                    .threadId();
            for (int round = -rounds; round < rounds; round++) { // half of them, to warm up
                double loop = bare(context, batch, prompt, tokens);
                long before = THREADS.getThreadAllocatedBytes(thread);
                double served = served(engine, thread, prompt, tokens);
                if (round >= 0) {
                    allocated += THREADS.getThreadAllocatedBytes(thread) - before;
                    bare[round] = loop;
                    engines[round] = served;
                    ratios[round] = served / loop;
                }
            }
        }
        System.out.printf(
                "| CPU time per token, median of %d | %.1f us bare | %.1f us engine | %+.2f %% (of the medians), %+.2f %%"
                        + " (of the fastest) | %d bytes allocated |%n",
                rounds,
                median(bare),
                median(engines),
                100 * (median(ratios) - 1),
                100 * (Arrays.stream(engines).min().orElseThrow()
                                / Arrays.stream(bare).min().orElseThrow()
                        - 1),
                allocated / rounds / tokens);
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }

    private double bare(Context context, Batch batch, int[] prompt, int tokens) {
        context.memory().clear();
        int[] answer = new int[tokens];
        long began = THREADS.getCurrentThreadCpuTime();
        try (Sampler sampler = Sampler.greedy()) {
            batch.clear();
            for (int i = 0; i < prompt.length; i++) {
                batch.add(prompt[i], i, 0, i == prompt.length - 1);
            }
            context.decode(batch);
            for (int i = 0; i < tokens; i++) {
                answer[i] = sampler.sample(context, -1);
                if (i < tokens - 1) {
                    batch.clear();
                    batch.add(answer[i], prompt.length + i, 0, true);
                    context.decode(batch);
                }
            }
        }
        return (THREADS.getCurrentThreadCpuTime() - began) * 1e-3 / tokens;
    }

    private double served(Engine engine, long thread, int[] prompt, int tokens) {
        // Another prompt each time, or all but its last token would be remembered.
        prompt[0] = 300 + (prompt[0] + 1) % 4000;
        long began = THREADS.getCurrentThreadCpuTime() + THREADS.getThreadCpuTime(thread);
        Result result = engine.submit(request(prompt, tokens)).join();
        long ended = THREADS.getCurrentThreadCpuTime() + THREADS.getThreadCpuTime(thread);
        double time = (ended - began) * 1e-3 / tokens;
        if (result.tokens().length != tokens || result.usage().reusedTokens() != 0) {
            throw new IllegalStateException("not what was to be measured: " + result.usage());
        }
        return time;
    }
}
