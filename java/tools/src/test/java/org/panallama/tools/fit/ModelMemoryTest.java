package org.panallama.tools.fit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.panallama.TensorType;
import org.panallama.fit.MemoryNeed;
import org.panallama.fit.ModelMemory;
import org.panallama.fit.Weights;
import org.panallama.tiny.TinyModel;
import org.panallama.tools.ModelShape;
import org.panallama.tools.Synth;

class ModelMemoryTest {

    private static final double MIB = 1 << 20;
    private static final Pattern COMPUTE = Pattern.compile("compute buffer size = +([0-9.]+) MiB");
    private static final Pattern CACHE = Pattern.compile("KV buffer size = +([0-9.]+) MiB");

    @TempDir
    Path folder;

    /** The proportions of well-known models at an eighth of their width or less, so that a test can write them. */
    static Stream<ModelShape> shapes() {
        return Stream.of(
                new ModelShape("mixtral", "llama", 3, 512, 1792, 8, 4, 64, 8, 2, 5200, 32768, 1e6f, 1e-5f),
                new ModelShape("vocabulary", "llama", 2, 512, 256, 8, 4, 64, 8, 2, 32000, 32768, 1e6f, 1e-5f),
                new ModelShape("dense", "llama", 2, 512, 1792, 8, 4, 64, 0, 0, 5200, 8192, 1e6f, 1e-5f),
                new ModelShape("qwen3moe", "qwen3moe", 2, 512, 192, 8, 2, 64, 32, 8, 5200, 40960, 1e6f, 1e-6f),
                new ModelShape("gpt-oss", "gpt-oss", 6, 768, 768, 16, 4, 64, 8, 4, 6000, 131072, 15e4f, 1e-5f));
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void theEstimateIsWhatLlamaCppReserves(ModelShape shape) throws Exception {
        Path file = folder.resolve("model.gguf");
        Synth.builder()
                .shape(shape)
                .type(TensorType.Q4_0)
                .tokenizer(TinyModel.path())
                .build()
                .write(file, done -> {});
        compare(file);
    }

    @Test
    void theEstimateOfTheTinyModelIsWhatLlamaCppReserves() throws Exception {
        compare(TinyModel.path());
    }

    /** Compute buffers within 5 % or 1 MiB, the KV cache to the last hundredth of a MiB that llama.cpp states. */
    private static void compare(Path file) throws Exception {
        int[][] contexts = {{512, 512}, {4096, 512}, {32768, 512}, {4096, 2048}, {4096, 128}};
        String log = open(file, contexts);
        List<Double> compute = find(COMPUTE, log);
        List<Double> cache = find(CACHE, log);
        assertThat(compute).as(log).hasSize(contexts.length);
        ModelMemory model = ModelMemory.read(file);
        for (int i = 0; i < contexts.length; i++) {
            MemoryNeed need = model.need(contexts[i][0], TensorType.F16, TensorType.F16, contexts[i][1]);
            assertThat(need.compute() / MIB)
                    .as("compute buffer at %d tokens, micro-batch %d", contexts[i][0], contexts[i][1])
                    .isCloseTo(compute.get(i), within(Math.max(1, 0.05 * compute.get(i))));
            int perContext = cache.size() / contexts.length; // models with a sliding window have two
            double reserved = cache.subList(i * perContext, (i + 1) * perContext).stream()
                    .mapToDouble(Double::doubleValue)
                    .sum();
            assertThat(need.kvCache() / MIB).isCloseTo(reserved, within(0.02));
        }
    }

    private static String open(Path file, int[][] contexts) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=debug",
                "-cp",
                System.getProperty("java.class.path"),
                OpenedContexts.class.getName(),
                file.toString()));
        for (int[] context : contexts) {
            command.add(String.valueOf(context[0]));
            command.add(String.valueOf(context[1]));
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String log = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(log).isZero();
        return log;
    }

    private static List<Double> find(Pattern pattern, String log) {
        List<Double> found = new ArrayList<>();
        for (Matcher matcher = pattern.matcher(log); matcher.find(); ) {
            found.add(Double.valueOf(matcher.group(1)));
        }
        return found;
    }

    @Test
    void theLongestContextIsTheLastThatFits() {
        ModelMemory model = ModelMemory.read(TinyModel.path());
        TensorType f16 = TensorType.F16;
        long enough = model.need(1024, f16, f16, 512).total();
        assertThat(model.longestContext(model.weights(), f16, f16, 512, enough)).isEqualTo(1024);
        assertThat(model.longestContext(model.weights(), f16, f16, 512, enough - 1))
                .isEqualTo(768);
        assertThat(model.longestContext(model.weights(), f16, f16, 512, Long.MAX_VALUE))
                .isEqualTo(2048);
        assertThat(model.longestContext(model.weights(), f16, f16, 512, 1000)).isZero();
    }

    @Test
    void tensorsAreSorted() {
        Weights weights = ModelMemory.read(TinyModel.path()).weights();
        assertThat(weights.layers()).hasSize(6).allMatch(bytes -> bytes > 3_000_000);
        assertThat(weights.expertBytes()).isEqualTo(6L * 3 * 8 * 256 * 256 * 2);
        assertThat(weights.input()).isEqualTo(5120L * 256 * 2);
        assertThat(weights.elements()).isEqualTo(13_253_888);
        assertThat(weights.bitsPerWeight()).isCloseTo(16.02, within(0.01));
    }
}
