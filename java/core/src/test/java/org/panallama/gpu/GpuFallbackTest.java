package org.panallama.gpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.internal.AdapterWriter;

/** What becomes of a model where the GPU fails: a warning and the CPU, or an error if somebody insists on the GPU. */
@Tag("gpu")
class GpuFallbackTest {

    private static final String ANSWER = "answer: France";
    private static final Map<String, String> NO_DRIVER =
            Map.of("VK_ICD_FILENAMES", "/nonexistent", "VK_DRIVER_FILES", "/nonexistent");

    /** A buffer of this size the backend refuses as it does one that is too large for a real GPU. */
    private static Map<String, String> largestBuffer(int mebibytes) {
        return Map.of("GGML_VK_FORCE_MAX_BUFFER_SIZE", String.valueOf(mebibytes << 20));
    }

    @Test
    void withoutADriver() throws Exception {
        assertThat(GpuProcess.run(NO_DRIVER))
                .contains("WARN")
                .contains("No GPU is used, the CPU computes everything")
                .contains("libggml-vulkan.so: no device")
                .contains("devices: [CPU]", "placement: []", ANSWER);
    }

    @Test
    void withoutADriverThatIsInsistedOn() throws Exception {
        assertThat(GpuProcess.run(NO_DRIVER, "layers=3"))
                .contains("error: ")
                .contains("gpuLayers(3) is to be on a GPU, and there is none")
                .contains("libggml-vulkan.so: no device")
                .contains("gpuLayers(ModelOptions.AUTO_LAYERS)")
                .doesNotContain(ANSWER);
    }

    @Test
    void withoutTheVulkanLoader(@TempDir Path folder) throws Exception {
        Files.writeString(folder.resolve("libvulkan.so.1"), "no library\n");
        assertThat(GpuProcess.run(Map.of("LD_LIBRARY_PATH", folder.toString())))
                .contains("No GPU is used, the CPU computes everything")
                .contains("libvulkan.so.1: file too short")
                .contains("devices: [CPU]", ANSWER);
    }

    @Test
    void withTooLittleMemoryForTheWeights() throws Exception {
        assertThat(GpuProcess.run(largestBuffer(5)))
                .contains("WARN")
                .contains("The CPU computes everything, since the GPU does not take the model")
                .contains("unable to allocate Vulkan0 buffer")
                .contains("devices: [Vulkan0, CPU]", "placement: []", ANSWER);
    }

    @Test
    void withTooLittleMemoryForLayersThatAreInsistedOn() throws Exception {
        assertThat(GpuProcess.run(largestBuffer(5), "layers=-1"))
                .contains("error: ")
                .contains("llama.cpp cannot load it, 7 of 7 layers on Vulkan0")
                .contains("gpuLayers(ModelOptions.AUTO_LAYERS)")
                .contains("unable to allocate Vulkan0 buffer")
                .doesNotContain(ANSWER);
    }

    @Test
    void withTooLittleMemoryForTheContext() throws Exception {
        assertThat(GpuProcess.run(largestBuffer(23), "length=16384"))
                .contains("WARN")
                .contains("The GPU does not take a context of 16384 tokens, and its KV cache is put into main memory")
                .contains("placement: [Vulkan0 7]", ANSWER);
    }

    /** Neither for what computes, nor for an adapter, which is loaded for the model on the GPU first. */
    @Test
    void withTooLittleMemoryToCompute(@TempDir Path folder) throws Exception {
        Path adapter = new AdapterWriter(1)
                .pair("blk.0.attn_q.weight", 256, 256, 0, 4, new Random(1))
                .write(folder.resolve("adapter.gguf"));
        assertThat(GpuProcess.run(largestBuffer(23), "length=2048", "batch=2048", "lora=" + adapter))
                .contains("The GPU does not take a context of 2048 tokens, and its KV cache is put into main memory")
                .contains("The model is loaded once more, for the CPU to compute on")
                .contains("placement: [Vulkan0 7]", ANSWER)
                .doesNotContain("exit status");
    }

    @Test
    void withTooLittleMemoryForTheContextOfLayersThatAreInsistedOn() throws Exception {
        assertThat(GpuProcess.run(largestBuffer(23), "length=16384", "layers=7"))
                .contains("error: llama.cpp cannot open a context of 16384 tokens")
                .contains("fewer ModelOptions.gpuLayers()")
                .contains("ContextOptions.offloadKv(false)")
                .doesNotContain(ANSWER);
    }

    @Test
    void twoGpusShareTheLayersAsTheyAreTold() throws Exception {
        Map<String, String> twice = Map.of("GGML_VK_VISIBLE_DEVICES", "0,0");
        assertThat(GpuProcess.run(twice, "split=1,3"))
                .contains("devices: [Vulkan0, Vulkan1, CPU]", "placement: [Vulkan0 2, Vulkan1 5]", ANSWER);
        assertThat(GpuProcess.run(twice)).contains("placement: [Vulkan0 4, Vulkan1 3]", ANSWER);
    }
}
