package org.panallama.benchmarks;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.Device;
import org.panallama.DeviceKind;
import org.panallama.Llama;
import org.panallama.Model;
import org.panallama.ModelOptions;
import org.panallama.internal.CpuTopology;
import org.panallama.tiny.TinyModel;

/**
 * A model with a context, by the parameters that JMH was given. Binding and kernels hold for a whole JVM, so that every
 * combination needs a fork of its own; where there is none, the second one is refused.
 */
@State(Scope.Benchmark)
public class LoadedModel {

    static final String TINY = "tiny";
    static final int CONTEXT_LENGTH = 2048;

    /** {@code tiny}, the embedded one, or the path of a GGUF file. */
    @Param(TINY)
    public String model = TINY;

    /** {@code cpu}, or {@code gpu} for the first GPU that llama.cpp finds (CUDA, Metal, Vulkan), with all layers on it. */
    @Param("cpu")
    public String device = "cpu";

    /** CPU threads; 0 for one on each core. */
    @Param("0")
    public int threads;

    /** {@code panallama}, or {@code stock} for llama.cpp's own. */
    @Param("panallama")
    public String kernels = "panallama";

    /** {@code ffm} or {@code jna}. */
    @Param("ffm")
    public String binding = "ffm";

    Model loaded;
    Context context;

    @Setup(Level.Trial)
    public void load() {
        Runtime.start(binding, kernels);
        ContextOptions options = ContextOptions.builder()
                .length(CONTEXT_LENGTH)
                .threads(threads(threads))
                .batchThreads(threads(threads))
                .build();
        loaded = Model.load(file(model), modelOptions());
        context = loaded.newContext(options);
    }

    @TearDown(Level.Trial)
    public void close() {
        loaded.close();
    }

    private ModelOptions modelOptions() {
        ModelOptions.Builder options = ModelOptions.builder();
        switch (device) {
            case "cpu" -> options.devices();
            case "gpu" -> options.devices(firstGpu()).gpuLayers(ModelOptions.ALL_LAYERS);
            default -> throw new IllegalArgumentException("device is " + device + ", must be cpu or gpu");
        }
        return options.build();
    }

    private static String firstGpu() {
        List<Device> devices = Llama.devices();
        return devices.stream()
                .filter(found -> found.kind() == DeviceKind.GPU || found.kind() == DeviceKind.INTEGRATED_GPU)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("device is gpu, but llama.cpp finds none here, only "
                        + devices.stream().map(Device::name).toList()
                        + ". Set PANALLAMA_NATIVE_DIR to a runtime with a GPU backend (the unpacked natives jar with the"
                        + " classifier linux-x86_64-vulkan, for one), and check the driver."))
                .name();
    }

    static Path file(String model) {
        if (model.equals(TINY)) {
            return TinyModel.path();
        }
        if (!Files.isRegularFile(Path.of(model))) {
            throw new IllegalArgumentException("model is " + model + ", must be tiny or the path of a GGUF file");
        }
        return Path.of(model);
    }

    static int threads(int wanted) {
        if (wanted < 0) {
            throw new IllegalArgumentException("threads is " + wanted + ", must be 0 or more");
        }
        return wanted == 0 ? CpuTopology.cores() : wanted;
    }
}
