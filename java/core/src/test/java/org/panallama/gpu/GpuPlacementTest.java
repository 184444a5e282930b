package org.panallama.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.Llama;
import org.panallama.Model;
import org.panallama.ModelLoadException;
import org.panallama.ModelOptions;
import org.panallama.SplitMode;
import org.panallama.TensorPlacement;
import org.panallama.fit.Placement;

/** How much of the tiny model goes to a GPU by itself, and whether it takes there what was estimated. */
@Tag("gpu")
class GpuPlacementTest {

    private static final long MIB = 1 << 20;
    private static final Pattern BUFFER = Pattern.compile(" (\\S+) (?:model|KV|compute) buffer size = +([0-9.]+) MiB");
    private static final ContextOptions CONTEXT =
            ContextOptions.builder().length(2048).threads(1).build();

    /** For a GPU of which that much may be used. */
    private static ModelOptions.Builder budget(long mebibytes) {
        return ModelOptions.builder()
                .fitFor(CONTEXT)
                .gpuMargin(Llama.gpus().get(0).freeMemory() - mebibytes * MIB);
    }

    @ParameterizedTest
    @CsvSource({
        "50, 7, 0", // everything: 23 MiB of weights, 6 of KV cache, 11 to compute
        "35, 7, 2", // without some experts, of 3 MiB in each layer
        "24, 7, 6", // without any experts
        "20, 4, 6", // without whole layers, each 1.4 MiB with its cache
        "10, 0, 0"
    })
    void whatFitsGoesToTheGpu(long mebibytes, int gpuLayers, int cpuExpertLayers) {
        List<String> log = new ArrayList<>();
        Placement placement = TinyOnGpu.listening(log, () -> {
            try (Model model = TinyOnGpu.load(budget(mebibytes));
                    Context context = model.newContext(CONTEXT)) {
                assertThat(context.length()).isEqualTo(2048);
                return model.placement();
            }
        });
        assertThat(placement.gpuLayers()).isEqualTo(gpuLayers);
        assertThat(placement.cpuExpertLayers()).isEqualTo(cpuExpertLayers);
        assertThat(placement.fits()).isTrue();
        double taken = bufferSizes(log, "Vulkan0");
        assertThat(placement.gpuMemory() / (double) MIB).isLessThanOrEqualTo(mebibytes);
        // A matrix that visits the GPU is counted, and one of this model hides in what computes.
        assertThat(placement.gpuMemory() / (double) MIB).isCloseTo(taken, within(2.5));
    }

    private static double bufferSizes(List<String> log, String device) {
        double sum = 0;
        for (String line : log) {
            Matcher matcher = BUFFER.matcher(line);
            if (matcher.find() && matcher.group(1).equals(device)) {
                sum += Double.parseDouble(matcher.group(2));
            }
        }
        return sum;
    }

    @Test
    void theUsersChoicesAreKept() {
        ModelOptions.Builder noExpertsAnyway =
                budget(50).place(TensorPlacement.expertsOnCpu(5)).expertsOnCpu(2);
        try (Model model = TinyOnGpu.load(noExpertsAnyway)) {
            Placement placement = model.placement();
            assertThat(placement.gpuLayers()).isEqualTo(TinyOnGpu.LAYERS);
            assertThat(placement.cpuExpertLayers()).isEqualTo(2);
            try (Model all = TinyOnGpu.load(budget(50))) {
                long experts = 3 * 8 * 256 * 256 * 2; // of a layer, of which one tensor of three visits the GPU
                assertThat(all.placement().gpuMemory() - placement.gpuMemory()).isEqualTo(3 * experts - experts / 3);
            }
        }
        try (Model model = TinyOnGpu.load(ModelOptions.builder().gpuLayers(99).devices("vulkan0"))) {
            assertThat(model.placement().gpuLayers()).isEqualTo(TinyOnGpu.LAYERS);
        }
        try (Model model = TinyOnGpu.load(ModelOptions.builder().devices("CPU").gpuLayers(99))) {
            assertThat(model.placement().shares()).isEmpty();
        }
    }

    @Test
    void aCacheInMainMemoryIsNotCounted() {
        ContextOptions options =
                ContextOptions.builder().length(2048).offloadKv(false).build();
        try (Model model = TinyOnGpu.load(budget(50).fitFor(options));
                Model other = TinyOnGpu.load(budget(50))) {
            assertThat(other.placement().gpuMemory() - model.placement().gpuMemory())
                    .isEqualTo(6 * MIB);
        }
    }

    @Test
    void aGpuThatIsInsistedOnMustSuffice() {
        assertThatThrownBy(() -> TinyOnGpu.load(budget(2).devices("Vulkan0")))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("no layer of it fits Vulkan0")
                .hasMessageContaining("ModelOptions.fitFor()");
        try (Model model = TinyOnGpu.load(budget(2).gpuLayers(1))) {
            assertThat(model.placement().gpuLayers()).isEqualTo(1);
            assertThat(model.placement().fits()).isFalse();
        }
    }

    @Test
    void devicesThatAreNotThereAreNamed() {
        assertThatThrownBy(() -> TinyOnGpu.load(ModelOptions.builder().devices("CUDA0")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("CUDA0")
                .hasMessageContaining("[Vulkan0, CPU]");
        assertThatThrownBy(() -> TinyOnGpu.load(ModelOptions.builder().tensorSplit(1, 1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("tensorSplit has 2 shares, must have one for each of 1 GPU devices");
        assertThatThrownBy(() -> TinyOnGpu.load(
                        ModelOptions.builder().splitMode(SplitMode.NONE).mainDevice(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("mainDevice is 1, and the GPU devices are [Vulkan0]");
    }

    @Test
    void tensorsCanBePlacedOnAGpuInUse() {
        TensorPlacement output = new TensorPlacement("^output\\.weight", "Vulkan0");
        try (Model model = TinyOnGpu.load(ModelOptions.builder().gpuLayers(0).place(output));
                Context context = model.newContext(CONTEXT)) {
            assertThat(context.model().placement().shares()).isEmpty();
            context.decode(1, 2, 3);
        }
        // Nothing fits, and so nothing is there.
        try (Model model = TinyOnGpu.load(budget(2).place(output));
                Context context = model.newContext(CONTEXT)) {
            context.decode(1, 2, 3);
        }
        assertThatThrownBy(() -> TinyOnGpu.load(ModelOptions.builder().devices().place(output)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("are to be on Vulkan0, and the GPU devices in use are []");
    }

    @Test
    void aSplitThatTheBackendDoesNotHaveIsLeftToTheCpuOrRefused() {
        ModelOptions.Builder rows = ModelOptions.builder().splitMode(SplitMode.ROW);
        try (Model model = TinyOnGpu.load(rows)) {
            assertThat(model.placement().shares()).isEmpty();
        }
        assertThatThrownBy(() -> TinyOnGpu.load(rows.gpuLayers(ModelOptions.ALL_LAYERS)))
                .isInstanceOf(ModelLoadException.class)
                .hasMessageContaining("does not support split buffers");
    }
}
