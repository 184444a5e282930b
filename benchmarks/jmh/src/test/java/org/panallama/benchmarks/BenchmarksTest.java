package org.panallama.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collection;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Every benchmark runs. What it measures in a moment says nothing. */
class BenchmarksTest {

    private static Collection<RunResult> run(ChainedOptionsBuilder options) throws RunnerException {
        return new Runner(options.warmupIterations(0)
                        .measurementIterations(1)
                        .measurementTime(TimeValue.milliseconds(50))
                        .shouldFailOnError(true)
                        .verbosity(VerboseMode.SILENT)
                        .param("threads", "1")
                        .build())
                .run();
    }

    @Test
    void ours() throws RunnerException {
        ChainedOptionsBuilder options = new OptionsBuilder().exclude("Kherud").forks(0);

        assertThat(run(options)).hasSize(10);
    }

    /** Each in a JVM of its own: another library, the other binding, the other kernels. */
    @Test
    void thoseThatNeedAJvmOfTheirOwn() throws RunnerException {
        ChainedOptionsBuilder kherud =
                new OptionsBuilder().include("KherudBenchmark.decode").forks(1);
        ChainedOptionsBuilder jna = new OptionsBuilder()
                .include("GenerationBenchmark.decode")
                .param("binding", "jna")
                .param("kernels", "stock")
                .forks(1);

        assertThat(run(kherud)).hasSize(1);
        assertThat(run(jna)).hasSize(1);
    }

    @Test
    void whatCannotBeMeasuredIsAnError() {
        LoadedModel model = new LoadedModel();
        model.device = "gpu";
        assertThatThrownBy(model::load).hasMessageContaining("device is gpu, but llama.cpp finds none here");
        model.device = "tpu";
        assertThatThrownBy(model::load).hasMessage("device is tpu, must be cpu or gpu");
        model.threads = -1;
        assertThatThrownBy(model::load).hasMessage("threads is -1, must be 0 or more");
        model.binding = "jni";
        assertThatThrownBy(model::load).hasMessage("binding is jni, must be ffm or jna");
        assertThatThrownBy(() -> LoadedModel.file("missing.gguf"))
                .hasMessage("model is missing.gguf, must be tiny or the path of a GGUF file");
        assertThatThrownBy(() -> Runtime.start("jna", "panallama")).hasMessageContaining("fork of its own");
    }
}
