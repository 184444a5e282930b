package org.panallama.benchmarks;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.panallama.Sampler;

/** Single calls of the public API that generating text is made of; {@code -p binding=ffm,jna} holds the bindings side by side. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class CallBenchmark {

    /** A context that has computed a question, and samplers that choose the next token. */
    @State(Scope.Benchmark)
    public static class Computed {

        private int[] question;
        private Sampler greedy;
        private Sampler throughJava;

        @Setup(Level.Trial)
        public void compute(LoadedModel model) {
            question = model.loaded.vocab().tokenize(Texts.QUESTION);
            model.context.decode(question);
            greedy = Sampler.greedy();
            throughJava =
                    Sampler.builder().temperature(0).custom(candidates -> {}).build();
        }

        @TearDown(Level.Trial)
        public void close() {
            greedy.close();
            throughJava.close();
        }
    }

    /** One token behind the question, and taking it back. */
    @Benchmark
    public void decode(LoadedModel model, Computed state) {
        int last = state.question.length - 1;
        model.context.memory().remove(0, last, last + 1);
        model.context.decode(state.question[last]);
    }

    @Benchmark
    public int[] tokenize(LoadedModel model) {
        return model.loaded.vocab().tokenize(Texts.QUESTION);
    }

    /** The view of the logits, and one of them. */
    @Benchmark
    public float logits(LoadedModel model, Computed state) {
        return model.context.logits(-1).get(0);
    }

    /** Choosing the likeliest of the vocabulary: what {@link #callback} is to be held against. */
    @Benchmark
    public int sampler(LoadedModel model, Computed state) {
        return state.greedy.sample(model.context, -1);
    }

    /** The same, with a sampler written in Java before it that is called and does nothing. */
    @Benchmark
    public int callback(LoadedModel model, Computed state) {
        return state.throughJava.sample(model.context, -1);
    }
}
