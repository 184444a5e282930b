package org.panallama.tools;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.panallama.LlamaException;
import org.panallama.internal.CpuTopology;
import org.panallama.internal.GgufPreflight;
import org.panallama.internal.GgufTensor;
import org.panallama.internal.ModelSummary;

/**
 * Measures how fast a model computes prompts and single tokens on the CPU, with llama.cpp's kernels and with those of
 * Panallama: each side in a process of its own, taking turns, so that both have the same share of whatever else the machine
 * does.
 */
public final class Bench {

    private static final String KERNELS_VARIABLE = "PANALLAMA_KERNELS";
    private static final List<String> NATIVE_ACCESS = List.of("--enable-native-access=ALL-UNNAMED");
    private static final int MOST_TOKENS = 1 << 20;

    private final Path model;
    private final List<Integer> prompts;
    private final List<Integer> generations;
    private final int threads;
    private final int batch;
    private final int microBatch;
    private final int repetitions;
    private final List<Kernels> kernels;

    private Bench(Builder builder) {
        model = builder.model;
        prompts = builder.prompts;
        generations = builder.generations;
        threads = builder.threads;
        batch = builder.batch;
        microBatch = Math.min(builder.microBatch, builder.batch);
        repetitions = builder.repetitions;
        kernels = builder.kernels;
    }

    /** Begins with a prompt of 512 tokens, 64 generated ones, 5 repetitions, a thread for each core, and both sides. */
    public static Builder builder(Path model) {
        return new Builder(model);
    }

    /** Collects what to measure. */
    public static final class Builder {

        private final Path model;
        private List<Integer> prompts = List.of(512);
        private List<Integer> generations = List.of(64);
        private int threads = CpuTopology.cores();
        private int batch = 2048;
        private int microBatch = 512;
        private int repetitions = 5;
        private List<Kernels> kernels = List.of(Kernels.STOCK, Kernels.PANALLAMA);

        private Builder(Path model) {
            this.model = model;
        }

        /** Lengths of prompts, from 1 to 1048576 each; zeros are left out. */
        public Builder prompts(List<Integer> lengths) {
            prompts = tests("prompt", lengths);
            return this;
        }

        /** Numbers of tokens to compute one by one, from 1 to 1048576 each; zeros are left out. */
        public Builder generations(List<Integer> lengths) {
            generations = tests("generation", lengths);
            return this;
        }

        /** Threads that compute, from 1 to 512. */
        public Builder threads(int count) {
            threads = inRange("threads", count, 512);
            return this;
        }

        /** Tokens in a batch. */
        public Builder batch(int tokens) {
            batch = inRange("batch", tokens, MOST_TOKENS);
            return this;
        }

        /** Tokens computed at once, at most the batch. */
        public Builder microBatch(int tokens) {
            microBatch = inRange("microBatch", tokens, MOST_TOKENS);
            return this;
        }

        /** How often each test is run, from 1 to 10000. */
        public Builder repetitions(int count) {
            repetitions = inRange("repetitions", count, 10_000);
            return this;
        }

        /** The sides; ratios are to the first. */
        public Builder kernels(List<Kernels> sides) {
            if (sides.isEmpty()) {
                throw new IllegalArgumentException("kernels is empty, must name stock, panallama or both");
            }
            kernels = List.copyOf(new LinkedHashSet<>(sides));
            return this;
        }

        /**
         * Checks the values together.
         *
         * @throws IllegalArgumentException if there is no test
         */
        public Bench build() {
            if (prompts.isEmpty() && generations.isEmpty()) {
                throw new IllegalArgumentException("there is nothing to measure: neither a prompt nor a generation");
            }
            return new Bench(this);
        }

        private static List<Integer> tests(String name, List<Integer> lengths) {
            lengths.forEach(length -> {
                if (length < 0 || length > MOST_TOKENS) {
                    throw new IllegalArgumentException(name + " is " + length + ", must be from 0 to " + MOST_TOKENS);
                }
            });
            return lengths.stream().filter(length -> length > 0).distinct().toList();
        }

        private static int inRange(String name, int value, int most) {
            if (value < 1 || value > most) {
                throw new IllegalArgumentException(name + " is " + value + ", must be from 1 to " + most);
            }
            return value;
        }
    }

    /** A test, as its process is told. */
    private record Test(boolean prompt, int tokens) {
        String command(int count) {
            return (prompt ? "prompt " : "generate ") + count;
        }
    }

    /**
     * Runs all tests.
     *
     * @param progress is told what begins
     * @throws LlamaException if the model cannot be loaded, or the kernels asked for are not there
     */
    public BenchReport run(Consumer<String> progress) {
        ModelSummary summary = GgufPreflight.check(model);
        Map<Kernels, BenchProcess> sides = new EnumMap<>(Kernels.class);
        try {
            progress.accept("measuring the memory's bandwidth");
            double bandwidth = readBandwidth();
            progress.accept("measuring the cores' multiplications");
            OptionalDouble peak = peakMultiplyAdds();
            Map<Kernels, String> variants = new EnumMap<>(Kernels.class);
            String[] facts = new String[0];
            for (Kernels side : kernels) {
                progress.accept("loading the model, " + side);
                BenchProcess process = start(side);
                sides.put(side, process);
                variants.put(side, process.answer("variant"));
                requireKernels(side, variants.get(side));
                facts = new String[] {
                    process.answer("version"),
                    process.answer("type"),
                    process.answer("bytes"),
                    process.answer("parameters"),
                    process.answer("ready")
                };
            }
            List<BenchResult> results = new ArrayList<>();
            for (Test test : tests()) {
                results.addAll(measure(test, sides, variants, progress));
            }
            Map<Kernels, Long> scratch = new EnumMap<>(Kernels.class);
            if (sides.containsKey(Kernels.PANALLAMA)) {
                scratch.put(Kernels.PANALLAMA, scratchBytes(sides.get(Kernels.PANALLAMA)));
            }
            return new BenchReport(
                    model,
                    facts[0],
                    facts[1],
                    Long.parseLong(facts[2]),
                    Long.parseLong(facts[3]),
                    bytesPerToken(summary),
                    threads,
                    batch,
                    microBatch,
                    bandwidth,
                    MultiplyAdds.of(summary),
                    peak,
                    scratch,
                    results);
        } catch (IOException e) {
            throw new LlamaException(
                    "The processes of the benchmark cannot be started or reached: " + e.getMessage(), e);
        } finally {
            sides.values().forEach(Bench::close);
        }
    }

    private List<Test> tests() {
        List<Test> tests = new ArrayList<>();
        prompts.forEach(length -> tests.add(new Test(true, length)));
        generations.forEach(length -> tests.add(new Test(false, length)));
        return tests;
    }

    /** Each side in turn; who was first in one repetition is last in the next. */
    private List<BenchResult> measure(
            Test test, Map<Kernels, BenchProcess> sides, Map<Kernels, String> variants, Consumer<String> progress)
            throws IOException {
        String name = (test.prompt() ? "pp" : "tg") + test.tokens();
        progress.accept(name + ": warming up");
        for (Kernels side : kernels) {
            time(sides.get(side), test.command(test.prompt() ? test.tokens() : Math.min(16, test.tokens())));
        }
        Map<Kernels, List<Long>> nanos = new EnumMap<>(Kernels.class);
        List<Kernels> order = new ArrayList<>(kernels);
        for (int repetition = 1; repetition <= repetitions; repetition++) {
            progress.accept(name + ": " + repetition + " of " + repetitions);
            for (Kernels side : order) {
                nanos.computeIfAbsent(side, key -> new ArrayList<>())
                        .add(time(sides.get(side), test.command(test.tokens())));
            }
            Collections.reverse(order);
        }
        return kernels.stream()
                .map(side -> new BenchResult(
                        side,
                        variants.get(side),
                        test.prompt() ? test.tokens() : 0,
                        test.prompt() ? 0 : test.tokens(),
                        nanos.get(side)))
                .toList();
    }

    private static long time(BenchProcess process, String command) throws IOException {
        process.command(command);
        return Long.parseLong(process.answer("nanos"));
    }

    private BenchProcess start(Kernels side) throws IOException {
        int length = IntStream.concat(
                        prompts.stream().mapToInt(Integer::intValue),
                        generations.stream().mapToInt(Integer::intValue))
                .max()
                .orElseThrow();
        return new BenchProcess(
                "the " + side + " kernels",
                Map.of(KERNELS_VARIABLE, side == Kernels.STOCK ? "off" : "on"),
                NATIVE_ACCESS,
                BenchWorker.class,
                model,
                length,
                threads,
                batch,
                microBatch);
    }

    private static void requireKernels(Kernels side, String variant) {
        boolean ours = variant.equals(Kernels.PANALLAMA.toString());
        if (ours != (side == Kernels.PANALLAMA)) {
            throw new LlamaException(
                    ours
                            ? "llama.cpp uses Panallama's kernels although they are turned off"
                            : "Panallama's kernels do not run here: llama.cpp took its own CPU variant '" + variant
                                    + "'. Either libggml-cpu-panallama is missing among the native libraries, or it"
                                    + " does not know this processor. Measure with --kernels stock alone.");
        }
    }

    private double readBandwidth() throws IOException {
        try (BenchProcess process = new BenchProcess(
                "the bandwidth measurement",
                Map.of(),
                // G1 also where one processor is all there is: other collectors' generations are too small for the
                // array.
                List.of(
                        "-XX:+UseG1GC",
                        "-Xmx" + (ReadBandwidth.MEGABYTES + 256) + "m",
                        "-Xms" + (ReadBandwidth.MEGABYTES + 256) + "m"),
                ReadBandwidth.class,
                threads)) {
            return Double.parseDouble(process.answer("bandwidth"));
        }
    }

    private OptionalDouble peakMultiplyAdds() throws IOException {
        try (BenchProcess process = new BenchProcess(
                "the measurement of multiplications",
                Map.of(KERNELS_VARIABLE, "on", MultiplyPeak.THREADS_VARIABLE, String.valueOf(threads)),
                NATIVE_ACCESS,
                MultiplyPeak.class)) {
            double peak = Double.parseDouble(process.answer("peak"));
            return Double.isNaN(peak) ? OptionalDouble.empty() : OptionalDouble.of(peak);
        }
    }

    /** Ends the process. */
    private static long scratchBytes(BenchProcess process) throws IOException {
        process.command("end");
        return Long.parseLong(process.answer("scratch"));
    }

    /** Of the experts, those that compute a token; the embeddings only where they are the output's matrix as well. */
    static long bytesPerToken(ModelSummary summary) {
        String architecture = summary.architecture();
        long experts = summary.file().integer(architecture + ".expert_count").orElse(0);
        long used = summary.file().integer(architecture + ".expert_used_count").orElse(0);
        boolean tied =
                summary.tensors().stream().noneMatch(tensor -> tensor.name().equals("output.weight"));
        long bytes = 0;
        for (GgufTensor tensor : summary.tensors()) {
            if (tensor.name().contains("_exps.") && experts > 0) {
                bytes += tensor.bytes() / experts * used;
            } else if (tied || !tensor.name().equals("token_embd.weight")) {
                bytes += tensor.bytes();
            }
        }
        return bytes;
    }

    private static void close(BenchProcess process) {
        try {
            process.close();
        } catch (IOException e) {
            // It is gone, or goes with this one.
        }
    }
}
