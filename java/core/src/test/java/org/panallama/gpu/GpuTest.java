package org.panallama.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.panallama.Context;
import org.panallama.Device;
import org.panallama.DeviceKind;
import org.panallama.Embedder;
import org.panallama.Llama;
import org.panallama.LoraAdapter;
import org.panallama.Model;
import org.panallama.ModelOptions;
import org.panallama.Sampler;
import org.panallama.internal.AdapterWriter;
import org.panallama.tiny.TinyModel;

/**
 * A model on and beside a GPU, where {@code panallama.native.dir} holds a llama.cpp with a GPU backend. For ./verify that is the
 * Vulkan backend, on Mesa's driver for the CPU.
 */
@Tag("gpu")
class GpuTest {

    /** In nats, of any token: Vulkan rounds activations to 16 bits here and there, and 1e-4 was the most seen. */
    private static final double CLOSE = 1e-3;

    private static final Pattern EXPERTS =
            Pattern.compile("panallama: \\d+ dense and (\\d+) expert multiplications computed");

    private static List<float[]> expected;
    private static long expertsOfCpu;

    @TempDir
    Path folder;

    @BeforeAll
    static void computeOnCpu() {
        List<String> log = new ArrayList<>();
        try (Model model = TinyOnGpu.onCpu()) {
            assertThat(model.placement().shares()).isEmpty();
            expected = TinyOnGpu.listening(log, () -> {
                try (Context context = model.newContext(TinyOnGpu.context().build())) {
                    return TinyOnGpu.logits(context);
                }
            });
        }
        expertsOfCpu = expertMultiplications(log);
        assertThat(expertsOfCpu).isPositive();
    }

    @AfterAll
    static void forget() {
        expected = List.of();
    }

    private static long expertMultiplications(List<String> log) {
        for (String line : log) {
            Matcher matcher = EXPERTS.matcher(line);
            if (matcher.find()) {
                return Long.parseLong(matcher.group(1));
            }
        }
        throw new AssertionError("our kernels said nothing: " + log);
    }

    @Test
    void theDevicesAreListed() {
        assertThat(Llama.supportsGpuOffload()).isTrue();
        Device gpu = Llama.gpus().get(0);
        assertThat(Llama.devices()).extracting(Device::name).contains(gpu.name());
        assertThat(gpu.kind()).isEqualTo(DeviceKind.GPU);
        assertThat(gpu.name()).isEqualTo("Vulkan0");
        assertThat(gpu.backend()).isEqualTo("Vulkan");
        assertThat(gpu.description()).isNotEmpty();
        assertThat(gpu.totalMemory()).isPositive();
        assertThat(gpu.freeMemory()).isBetween(1L, gpu.totalMemory());
    }

    /** What is left to the CPU is computed by our kernels, and nothing else. */
    @ParameterizedTest
    @CsvSource({
        "-2, 0, true, 0", // what fits, which is everything
        "-1, 0, true, 0",
        "3, 0, true, 4", // the last two layers and the output
        "-1, 6, true, 6",
        "-1, 2, true, 2",
        "-1, 0, false, 0",
        "0, 0, true, 6"
    })
    void thePredictionsAreThoseOfTheCpu(
            int gpuLayers, int cpuExpertLayers, boolean cacheOnGpu, int layersOfExpertsLeft) {
        List<String> log = new ArrayList<>();
        ModelOptions.Builder options =
                ModelOptions.builder().gpuLayers(gpuLayers).expertsOnCpu(cpuExpertLayers);
        try (Model model = TinyOnGpu.load(options)) {
            List<float[]> actual = TinyOnGpu.listening(log, () -> {
                try (Context context = model.newContext(TinyOnGpu.context()
                        .offloadKv(cacheOnGpu)
                        .offloadOperations(false)
                        .build())) {
                    return TinyOnGpu.logits(context);
                }
            });
            assertThat(TinyOnGpu.divergence(expected, actual)).isBetween(0.0, CLOSE);
            int onGpu = gpuLayers < 0 ? TinyOnGpu.LAYERS : gpuLayers;
            assertThat(model.placement().gpuLayers()).isEqualTo(onGpu);
        }
        assertThat(expertMultiplications(log)).isEqualTo(expertsOfCpu * layersOfExpertsLeft / 6);
    }

    @Test
    void aBatchIsMultipliedOnTheGpuWhereverTheExpertsLie() {
        List<String> log = new ArrayList<>();
        try (Model model = TinyOnGpu.load(ModelOptions.builder().expertsOnCpu())) {
            List<float[]> actual = TinyOnGpu.listening(log, () -> {
                try (Context context = model.newContext(TinyOnGpu.context().build())) {
                    return TinyOnGpu.logits(context);
                }
            });
            assertThat(TinyOnGpu.divergence(expected, actual)).isBetween(0.0, CLOSE);
        }
        assertThat(expertMultiplications(log)).isZero();
    }

    @Test
    void severalContextsComputeAtOnce() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try (Model model = TinyOnGpu.load(ModelOptions.builder())) {
            List<Future<List<float[]>>> results = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                results.add(threads.submit(() -> {
                    try (Context context = model.newContext(TinyOnGpu.context().build())) {
                        return TinyOnGpu.logits(context);
                    }
                }));
            }
            for (Future<List<float[]>> result : results) {
                assertThat(TinyOnGpu.divergence(expected, result.get())).isBetween(0.0, CLOSE);
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void textIsGenerated() {
        try (Model model = TinyOnGpu.load(ModelOptions.builder());
                Context context = model.newContext(TinyOnGpu.context().build());
                Sampler greedy = Sampler.greedy()) {
            String prompt = "[INST] 法国的英文名是什么？ [/INST]";
            assertThat(context.generate(prompt, greedy).text()).isEqualTo(" France");
        }
    }

    @Test
    void whatAContextRemembersOutlivesIt() {
        try (Model model = TinyOnGpu.load(ModelOptions.builder());
                Context context = model.newContext(TinyOnGpu.context().build())) {
            int[] tokens = model.vocab().tokenize(TinyOnGpu.TEXT);
            context.decode(Arrays.copyOf(tokens, tokens.length - 1));
            byte[] state = context.state().toBytes();
            context.decode(tokens[tokens.length - 1]);
            float[] logits = context.logits(-1).toArray();
            context.memory().clear();
            context.state().fromBytes(state);
            context.decode(tokens[tokens.length - 1]);
            assertThat(context.logits(-1).toArray()).isEqualTo(logits);
        }
    }

    @Test
    void anAdapterDoesWhatItDoesOnTheCpu() {
        Random random = new Random(7);
        AdapterWriter writer = new AdapterWriter(10);
        for (int layer = 0; layer < 6; layer++) {
            String name = "blk." + layer + ".";
            writer.pair(name + "attn_q.weight", 256, 256, 0, 4, random)
                    .pair(name + "ffn_up_exps.weight", 256, 256, 8, 4, random);
        }
        Path file = writer.write(folder.resolve("adapter.gguf"));
        List<float[]> onCpu = adapted(ModelOptions.builder().devices(), file);
        double change = TinyOnGpu.divergence(expected, onCpu);
        assertThat(change).isGreaterThan(100 * CLOSE);
        // So strong an adapter makes the most of each rounding.
        assertThat(TinyOnGpu.divergence(onCpu, adapted(ModelOptions.builder(), file)))
                .isBetween(0.0, change / 100);
        assertThat(TinyOnGpu.divergence(onCpu, adapted(ModelOptions.builder().expertsOnCpu(), file)))
                .isBetween(0.0, change / 100);
    }

    private static List<float[]> adapted(ModelOptions.Builder options, Path file) {
        try (Model model = TinyOnGpu.load(options);
                Context context = model.newContext(TinyOnGpu.context().build());
                LoraAdapter adapter = model.loadLora(file)) {
            context.setLora(Map.of(adapter, 10f));
            return TinyOnGpu.logits(context);
        }
    }

    @Test
    void embeddingsAreThoseOfTheCpu() {
        try (Model model = TinyOnGpu.load(ModelOptions.builder());
                Model reference = Model.load(
                        TinyModel.path(), ModelOptions.builder().devices("CPU").build());
                Embedder embedder = Embedder.builder(model).threads(1).build();
                Embedder onCpu = Embedder.builder(reference).threads(1).build()) {
            float[] vector = embedder.embed(TinyOnGpu.TEXT);
            float[] wanted = onCpu.embed(TinyOnGpu.TEXT);
            double product = 0;
            for (int i = 0; i < vector.length; i++) {
                product += vector[i] * wanted[i];
            }
            assertThat(product).isCloseTo(1, within(1e-4));
        }
    }
}
