package org.panallama.tools;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.ModelLoadException;
import org.panallama.TensorType;
import org.panallama.internal.GgufPreflight;
import org.panallama.tiny.TinyModel;

class BenchTest {

    @TempDir
    private Path folder;

    @Test
    void measuresEveryTestInAnotherProcess() {
        List<String> progress = new ArrayList<>();
        BenchReport report = Bench.builder(TinyModel.path())
                .prompts(List.of(8, 0, 16))
                .generations(List.of(4))
                .repetitions(2)
                .threads(1)
                .kernels(List.of(Kernels.STOCK))
                .build()
                .run(progress::add);
        assertThat(report.results()).extracting(BenchResult::test).containsExactly("pp8", "pp16", "tg4");
        assertThat(report.results()).allSatisfy(result -> {
            assertThat(result.kernels()).isEqualTo(Kernels.STOCK);
            assertThat(result.cpuVariant()).isNotIn("panallama", "unknown");
            assertThat(result.nanos()).hasSize(2).allMatch(time -> time > 0);
            assertThat(report.ratio(result)).isEqualTo(1);
        });
        assertThat(report.modelParameters()).isEqualTo(13_253_888);
        assertThat(report.readBandwidth()).isPositive();
        assertThat(report.bandwidth(report.results().get(0))).isEmpty();
        // Its weights are floats, and llama.cpp does not tell what its kernels take.
        assertThat(report.multiplyAdds(report.results().get(0))).isEmpty();
        assertThat(report.scratchBytes(report.results().get(0))).isEmpty();
        BenchResult generation = report.results().get(2);
        assertThat(report.bandwidth(generation)).hasValue(report.bytesPerToken() * generation.meanTokensPerSecond());
        assertThat(progress).contains("loading the model, stock", "pp16: 2 of 2");
    }

    @Test
    void holdsPromptsAgainstTheCores() {
        Path file = small(TensorType.Q4_K);
        BenchReport report = Bench.builder(file)
                .prompts(List.of(32))
                .generations(List.of(2))
                .repetitions(1)
                .threads(1)
                .kernels(List.of(Kernels.PANALLAMA))
                .build()
                .run(step -> {});
        BenchResult prompt = report.results().get(0);
        // The feed-forward part of the only block, and the output, are computed for one token.
        long products = 32L * (2 * 256 * 256 + 2 * 256 * 128) + 2 * 3 * 256 * 512 + 256 * 6000;
        double perSecond = products * prompt.meanTokensPerSecond() / 32;
        assertThat(report.multiplyAdds(prompt).getAsDouble()).isCloseTo(perSecond, withinPercentage(1e-6));
        assertThat(report.peakMultiplyAdds().getAsDouble()).isGreaterThan(1e9);
        assertThat(report.share(prompt))
                .hasValue(report.multiplyAdds(prompt).getAsDouble()
                        / report.peakMultiplyAdds().getAsDouble());
        // The quantized activations of 32 tokens and two experts at least.
        assertThat(report.scratchBytes(prompt).getAsLong()).isGreaterThan(32 * 2 * 512);
        BenchResult generation = report.results().get(1);
        assertThat(report.multiplyAdds(generation)).isEmpty();
        assertThat(report.share(generation))
                .hasValue(report.bandwidth(generation).getAsDouble() / report.readBandwidth());
    }

    /** Two of the eight experts, and the embeddings not at all. */
    @Test
    void countsTheWeightsOfATokenOnce() {
        Path file = small(TensorType.F16);
        long matrices = 256 * 6000 + 2 * 256 * 256 + 2 * 256 * 128 + 2 * 3 * 256 * 512;
        long singles = 3 * 256 + 256 * 8;
        assertThat(Bench.bytesPerToken(GgufPreflight.check(file))).isEqualTo(2 * matrices + 4 * singles);
    }

    private Path small(TensorType type) {
        ModelShape shape = new ModelShape("small", "llama", 1, 256, 512, 4, 2, 64, 8, 2, 6000, 512, 1e6f, 1e-5f);
        Path file = folder.resolve("small.gguf");
        Synth.builder()
                .shape(shape)
                .type(type)
                .tokenizer(TinyModel.path())
                .build()
                .write(file, done -> {});
        return file;
    }

    @Test
    void statistics() {
        BenchResult result =
                new BenchResult(Kernels.STOCK, "zen4", 100, 0, List.of(1_000_000_000L, 2_000_000_000L, 4_000_000_000L));
        assertThat(result.tokensPerSecond()).containsExactly(100.0, 50.0, 25.0);
        assertThat(result.meanTokensPerSecond()).isCloseTo(58.333, within(1e-3));
        assertThat(result.deviationOfTokensPerSecond()).isCloseTo(38.188, within(1e-3));
        assertThat(new BenchResult(Kernels.STOCK, "zen4", 0, 1, List.of(1L)).deviationOfNanos())
                .isZero();
    }

    @Test
    void saysWhatCannotBe() {
        Bench.Builder bench = Bench.builder(folder.resolve("none.gguf"));
        assertThatThrownBy(() -> bench.prompts(List.of(-1))).hasMessageContaining("-1");
        assertThatThrownBy(() -> bench.threads(0)).hasMessageContaining("from 1 to 512");
        assertThatThrownBy(() -> bench.kernels(List.of())).hasMessageContaining("stock, panallama");
        assertThatThrownBy(() -> bench.build().run(step -> {})).isInstanceOf(ModelLoadException.class);
        assertThatThrownBy(
                        () -> bench.prompts(List.of(0)).generations(List.of(0)).build())
                .hasMessageContaining("nothing to measure");
    }
}
