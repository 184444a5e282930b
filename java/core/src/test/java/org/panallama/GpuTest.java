package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.panallama.tiny.TinyModel;

/**
 * A model beside a GPU, where {@code panallama.native.dir} holds a llama.cpp with a GPU backend. For ./verify
 * that is the Vulkan backend, on a driver for the CPU. Which side computed what is for the native test {@code
 * vulkan}.
 */
@Tag("gpu")
class GpuTest {

    @ParameterizedTest
    @CsvSource({"-1, true", "-1, false", "3, true", "0, false"})
    void modelAnswersWhereverItLies(int gpuLayers, boolean expertsOnCpu) {
        assertThat(Llama.devices()).extracting(Device::kind).contains(DeviceKind.GPU, DeviceKind.CPU);
        ModelOptions.Builder options = ModelOptions.builder().gpuLayers(gpuLayers);
        if (expertsOnCpu) {
            options.expertsOnCpu();
        }
        try (Model model = Model.load(TinyModel.path(), options.build());
                Context context = model.newContext(Tiny.context().build());
                Sampler greedy = Sampler.greedy()) {
            assertThat(context.generate(Tiny.FRANCE, greedy).text()).isEqualTo(" France");
        }
    }
}
