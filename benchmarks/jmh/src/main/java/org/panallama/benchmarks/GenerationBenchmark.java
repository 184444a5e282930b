package org.panallama.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;
import org.panallama.Generation;
import org.panallama.GenerationOptions;
import org.panallama.Sampler;

/**
 * Text from a prompt through the public API, as a program writes it. {@link KherudBenchmark} does the same through another
 * library. With {@code -prof gc}, {@code gc.alloc.rate.norm} of {@link #decode} is what Java allocates per token.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(3)
public class GenerationBenchmark {

    private static final GenerationOptions ANSWER = GenerationOptions.builder()
            .maxTokens(Texts.ANSWER)
            .ignoreEndOfGeneration(true)
            .build();
    private static final GenerationOptions FIRST_TOKEN =
            GenerationOptions.builder().maxTokens(1).ignoreEndOfGeneration(true).build();

    /** Tokens per second of a greedy answer to a short question, which is computed too. */
    @Benchmark
    @OperationsPerInvocation(Texts.ANSWER)
    public void decode(LoadedModel model, Blackhole text) {
        generate(model, Texts.QUESTION, ANSWER, text);
    }

    /** Long prompts per second, each with the first token after it; {@code tokens} of prompts per second beside it. */
    @Benchmark
    public void prompt(LoadedModel model, PromptTokens counter, Blackhole text) {
        counter.tokens += generate(model, Texts.LONG, FIRST_TOKEN, text).usage().promptTokens();
    }

    private static Generation generate(LoadedModel model, String prompt, GenerationOptions options, Blackhole text) {
        model.context.memory().clear(); // else what is remembered of the prompt is not computed again
        try (Sampler sampler = Sampler.greedy()) {
            Generation generation = model.context.generate(prompt, sampler, options);
            generation.forEach(text::consume);
            return generation;
        }
    }
}
