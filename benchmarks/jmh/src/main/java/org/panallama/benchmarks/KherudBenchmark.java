package org.panallama.benchmarks;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.LlamaOutput;
import de.kherud.llama.ModelParameters;
import de.kherud.llama.args.LogFormat;
import de.kherud.llama.args.Sampler;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** What {@link GenerationBenchmark} does, through {@code de.kherud:llama}, which brings a llama.cpp of its own. On the CPU. */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(3)
public class KherudBenchmark {

    @State(Scope.Benchmark)
    public static class LoadedKherud {

        /** As {@link LoadedModel#model}. */
        @Param(LoadedModel.TINY)
        public String model = LoadedModel.TINY;

        /** As {@link LoadedModel#threads}. */
        @Param("0")
        public int threads;

        private LlamaModel loaded;
        private int promptTokens;

        @Setup(Level.Trial)
        public void load() {
            LlamaModel.setLogger(LogFormat.TEXT, (level, message) -> {}); // it would write a page for every request
            loaded = new LlamaModel(new ModelParameters()
                    .setModel(LoadedModel.file(model).toString())
                    .setGpuLayers(0)
                    .setCtxSize(LoadedModel.CONTEXT_LENGTH)
                    .setThreads(LoadedModel.threads(threads))
                    .setThreadsBatch(LoadedModel.threads(threads)));
            promptTokens = 1 + loaded.encode(Texts.LONG).length; // which leaves the BOS out
        }

        @TearDown(Level.Trial)
        public void close() {
            loaded.close();
        }
    }

    @Benchmark
    @OperationsPerInvocation(Texts.ANSWER)
    public void decode(LoadedKherud model, Blackhole text) {
        generate(model, Texts.QUESTION, Texts.ANSWER, text);
    }

    @Benchmark
    public void prompt(LoadedKherud model, PromptTokens counter, Blackhole text) {
        generate(model, Texts.LONG, 1, text);
        counter.tokens += model.promptTokens;
    }

    private static void generate(LoadedKherud model, String prompt, int tokens, Blackhole text) {
        InferenceParameters parameters = new InferenceParameters(prompt)
                .setTemperature(0)
                .setSamplers(Sampler.TEMPERATURE) // at 0 it is greedy, with nothing else before it
                .setNPredict(tokens)
                .setIgnoreEos(true)
                .setCachePrompt(false);
        for (LlamaOutput output : model.loaded.generate(parameters)) {
            text.consume(output.text);
        }
    }
}
