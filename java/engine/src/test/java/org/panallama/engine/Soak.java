package org.panallama.engine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.panallama.Batch;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.FinishReason;
import org.panallama.FloatView;
import org.panallama.GenerationOptions;
import org.panallama.Model;
import org.panallama.Sampler;

/**
 * Many clients at once on one engine, a third of whom vanish, in a context that is too small for all of them. Every answer that
 * somebody takes to its end is compared with the greedy answer to the same prompt alone.
 *
 * <p>What is computed for a token can differ in its last bits with the batch that it is computed in: llama.cpp and the kernels
 * multiply one column in another order than several. Where the two likeliest tokens are as close as that, the other one may come.
 * Each such place is looked at: the logits of both tokens, computed alone, must not be further apart than {@link #NEAR_TIE}.
 */
final class Soak {

    /** Twice the most that logits of the tiny model were seen to differ by between batches (0.007), and a little more. */
    static final double NEAR_TIE = 0.02;

    private static final int CLIENTS = 64;
    private static final int LEAST = 4 * CLIENTS; // answers
    private static final int TOKENS = 32;
    private static final int CONTEXT = 2560; // for about 50 of the 64

    private final Model model;
    private final List<int[]> prompts = new ArrayList<>();
    private final List<int[]> alone = new ArrayList<>();
    private final Map<String, int[]> different = new ConcurrentHashMap<>();
    private final AtomicInteger taken = new AtomicInteger();
    private final AtomicInteger vanished = new AtomicInteger();
    private final AtomicInteger exact = new AtomicInteger();
    private final LongAdder tokens = new LongAdder();
    private final Map<String, Integer> failures = new ConcurrentHashMap<>();

    /**
     * What was seen.
     *
     * @param taken answers taken to their end
     * @param vanished clients that went away
     * @param exact answers with exactly the tokens of the request alone
     * @param nearTies places where two tokens were so close that the other one came
     * @param largestGap of their logits
     * @param wrong answers that differ without a near tie, and failures
     * @param samples of memory, in megabytes
     * @param threadsLeft after the engine was closed, more than before
     * @param stats of the engine, when nobody was left
     */
    record Report(
            int taken,
            int vanished,
            int exact,
            int nearTies,
            double largestGap,
            List<String> wrong,
            List<Sample> samples,
            int threadsLeft,
            long tokens,
            EngineStats stats) {

        /** Of the middle of a part of the samples, in megabytes. */
        Sample median(int part, int parts) {
            int from = samples.size() * part / parts;
            List<Sample> some = samples.subList(from, Math.max(from + 1, samples.size() * (part + 1) / parts));
            double[] heap = some.stream().mapToDouble(Sample::heap).sorted().toArray();
            double[] resident =
                    some.stream().mapToDouble(Sample::resident).sorted().toArray();
            return new Sample(heap[heap.length / 2], resident[resident.length / 2]);
        }
    }

    /**
     * Memory at a time, in megabytes.
     *
     * @param heap used after a collection
     * @param resident of the whole process, 0 where that is not known
     */
    record Sample(double heap, double resident) {}

    private Soak(Model model) {
        this.model = model;
    }

    static Report run(Model model, Duration time, long seed) throws InterruptedException {
        Soak soak = new Soak(model);
        soak.ask(new Random(seed));
        return soak.load(time, seed);
    }

    private ContextOptions.Builder options(int length) {
        return ContextOptions.builder().length(length).threads(1).batchThreads(1);
    }

    /** Sums, capitals, recitals and look-ups, some with a long common beginning, each answered alone. */
    private void ask(Random random) {
        List<String> questions = new ArrayList<>(List.of("[INST] 背诵李白的静夜思。 [/INST]", "[INST] 德国的代码是什么？ [/INST]"));
        for (int i = 0; i < 48; i++) {
            questions.add("[INST] " + random.nextInt(100) + "+" + random.nextInt(100) + "等于多少？ [/INST]");
            questions.add("[INST] 资料：张三的电话是" + random.nextInt(100) + "。李四的电话是" + random.nextInt(1000)
                    + "。\n问题：李四的电话是多少？ [/INST]");
        }
        try (Context context = model.newContext(options(256).build());
                Sampler sampler = Sampler.greedy()) {
            GenerationOptions answer = GenerationOptions.builder()
                    .maxTokens(TOKENS)
                    .ignoreEndOfGeneration(true)
                    .build();
            for (String question : questions) {
                int[] prompt = model.vocab().tokenize(question);
                var generation = context.generate(prompt, sampler, answer);
                generation.text();
                prompts.add(prompt);
                alone.add(generation.tokens());
            }
        }
    }

    private Report load(Duration time, long seed) throws InterruptedException {
        int threadsBefore = Thread.getAllStackTraces().size();
        List<Sample> samples = new ArrayList<>();
        Context context = model.newContext(
                options(CONTEXT).sequences(CLIENTS).sharedCache(true).build());
        EngineStats stats;
        try (Engine engine = Engine.builder(context).chunk(128).queue(CLIENTS).build()) {
            long end = System.nanoTime() + time.toNanos();
            List<Thread> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                Random random = new Random(seed + 1 + i);
                Thread client = new Thread(() -> serve(engine, random, end), "client-" + i);
                client.start();
                clients.add(client);
            }
            long pause = Math.max(500, Math.min(5000, time.toMillis() / 40));
            while (System.nanoTime() < end) {
                Thread.sleep(pause);
                samples.add(sample());
            }
            for (Thread client : clients) {
                client.join();
            }
            do { // those that nobody waits for come to their end
                Thread.sleep(20);
                stats = engine.stats();
            } while (stats.running() + stats.waiting() > 0);
            samples.add(sample());
        }
        Thread.sleep(100);
        int threadsLeft = (int) Thread.getAllStackTraces().keySet().stream()
                        .filter(thread -> !thread.getName().startsWith("ForkJoinPool"))
                        .count()
                - threadsBefore;
        return judge(samples, threadsLeft, stats);
    }

    private void serve(Engine engine, Random random, long end) {
        // However slow the machine is, there is something to judge by.
        while (System.nanoTime() < end || taken.get() + vanished.get() < LEAST) {
            int question = random.nextInt(prompts.size());
            try {
                Completion completion = engine.submit(
                        EngineRequest.builder(prompts.get(question), Sampler.greedy())
                                .maxTokens(TOKENS)
                                .ignoreEndOfGeneration(true)
                                .build(),
                        Duration.ofMinutes(5));
                if (random.nextInt(3) == 0) {
                    vanish(completion, random);
                    vanished.incrementAndGet();
                } else {
                    check(question, take(completion, random.nextInt(4)));
                }
            } catch (Exception e) {
                failures.merge(e.toString(), 1, Integer::sum);
            }
        }
    }

    /** Goes away: says so at once or later, or not at all. */
    private static void vanish(Completion completion, Random random) {
        int pieces = random.nextInt(TOKENS);
        switch (random.nextInt(5)) {
            case 0 -> completion.cancel();
            case 1 -> completion.future().cancel(true);
            case 2 -> read(completion, pieces); // and no more
            case 3 -> completion.publisher().subscribe(new Reader(pieces));
            default -> {
                read(completion, pieces);
                completion.cancel();
            }
        }
    }

    private static void read(Completion completion, int pieces) {
        int left = pieces;
        for (var each = completion.iterator(); left > 0 && each.hasNext(); left--) {
            each.next();
        }
    }

    /** By each of the ways there are. */
    private static Result take(Completion completion, int way) throws InterruptedException {
        switch (way) {
            case 0 -> completion.future().join();
            case 1 -> {
                StringBuilder text = new StringBuilder();
                completion.forEach(piece -> text.append(piece.text()));
                require(text.toString().equals(completion.join().text()), "the iterator's pieces are another text");
            }
            case 2 -> {
                Reader reader = new Reader(Integer.MAX_VALUE);
                completion.publisher().subscribe(reader);
                reader.done.await();
                require(
                        reader.text.toString().equals(completion.join().text()),
                        "the publisher's pieces are another text");
            }
            default -> {}
        }
        return completion.join();
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new IllegalStateException(otherwise);
        }
    }

    private void check(int question, Result result) {
        require(result.finishReason() == FinishReason.MAX_TOKENS, "it ended by " + result.finishReason());
        taken.incrementAndGet();
        tokens.add(result.tokens().length);
        if (Arrays.equals(result.tokens(), alone.get(question))) {
            exact.incrementAndGet();
        } else {
            different.put(question + " " + Arrays.toString(result.tokens()), result.tokens());
        }
    }

    private static Sample sample() {
        System.gc();
        double heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / 1e6;
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return new Sample(heap, 0);
        }
        try {
            return Files.readAllLines(status).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .findFirst()
                    .map(line -> new Sample(heap, Long.parseLong(line.replaceAll("\\D", "")) * 1024 / 1e6))
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Report judge(List<Sample> samples, int threadsLeft, EngineStats stats) {
        List<String> wrong = new ArrayList<>();
        failures.forEach((what, times) -> wrong.add(what + " (" + times + " times)"));
        double largest = 0;
        try (Context context = model.newContext(options(256).build());
                Batch batch = Batch.tokens(256)) {
            for (Map.Entry<String, int[]> entry : different.entrySet()) {
                int question = Integer.parseInt(entry.getKey().split(" ")[0]);
                double gap = gap(context, batch, question, entry.getValue());
                largest = Math.max(largest, gap);
                if (gap > NEAR_TIE) {
                    wrong.add("question " + question + ": " + Arrays.toString(entry.getValue()) + ", alone "
                            + Arrays.toString(alone.get(question)) + ", logits " + gap + " apart");
                }
            }
        }
        return new Report(
                taken.get(),
                vanished.get(),
                exact.get(),
                different.size(),
                largest,
                wrong,
                samples,
                threadsLeft,
                tokens.sum(),
                stats);
    }

    /** How far apart the logits of the two tokens are at the first place where an answer differs from the one alone. */
    private double gap(Context context, Batch batch, int question, int[] answer) {
        int[] expected = alone.get(question);
        int place = Arrays.mismatch(answer, expected);
        if (place < 0 || place == Math.min(answer.length, expected.length)) {
            return Double.POSITIVE_INFINITY; // too short or too long
        }
        int[] prompt = prompts.get(question);
        context.memory().clear();
        batch.clear();
        for (int i = 0; i < prompt.length; i++) {
            batch.add(prompt[i], i, 0, i == prompt.length - 1);
        }
        context.decode(batch);
        for (int i = 0; i < place; i++) {
            batch.clear();
            batch.add(expected[i], prompt.length + i, 0, true);
            context.decode(batch);
        }
        FloatView logits = context.logits(-1);
        return Math.abs(logits.get(expected[place]) - logits.get(answer[place]));
    }

    /** Takes some pieces through the publisher, two at a time, and then cancels its subscription. */
    private static final class Reader implements Flow.Subscriber<Piece> {

        final CountDownLatch done = new CountDownLatch(1);
        final StringBuilder text = new StringBuilder();
        private final int most;
        private int seen;
        private Flow.Subscription subscription;

        Reader(int most) {
            this.most = most;
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
            given.request(2);
        }

        @Override
        public void onNext(Piece piece) {
            text.append(piece.text());
            if (++seen >= most) {
                subscription.cancel();
            } else if (seen % 2 == 0) {
                subscription.request(2);
            }
        }

        @Override
        public void onError(Throwable thrown) {
            done.countDown();
        }

        @Override
        public void onComplete() {
            done.countDown();
        }
    }

    /** {@code Soak MODEL MINUTES}: prints what was seen; exits 1 if something was wrong. */
    public static void main(String[] args) throws InterruptedException {
        Duration time = Duration.ofMillis((long) (Double.parseDouble(args[1]) * 60_000));
        try (Model model = Model.load(Path.of(args[0]))) {
            Report report = run(model, time, 1);
            System.out.printf(
                    "%d answers taken (%d tokens), %d clients vanished%n",
                    report.taken, report.tokens, report.vanished);
            System.out.printf(
                    "%d answers token for token as alone; the others differ at %d near ties, logits at most %.5f apart%n",
                    report.exact, report.nearTies, report.largestGap);
            for (int part = 0; part < 4; part++) {
                Sample sample = report.median(part, 4);
                System.out.printf(
                        "quarter %d: heap %.1f MB after collection, resident %.1f MB%n",
                        part + 1, sample.heap, sample.resident);
            }
            System.out.println("threads left " + report.threadsLeft + ", " + report.stats);
            report.wrong.forEach(System.out::println);
            System.out.println(report.wrong.isEmpty() ? "nothing wrong" : "WRONG");
            System.exit(report.wrong.isEmpty() && report.threadsLeft <= 0 ? 0 : 1);
        }
    }
}
