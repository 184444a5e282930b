package org.panallama.cli;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.panallama.ModelOptions;
import org.panallama.SplitMode;
import org.panallama.internal.Require;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What of a model goes to GPUs, where there are any. */
final class GpuArguments {

    private static final long MEBIBYTE = 1 << 20;

    @Option(
            names = {"-ngl", "--gpu-layers"},
            paramLabel = "N|auto|all",
            defaultValue = "auto",
            converter = Layers.class,
            description =
                    "Layers on the GPU: a number, counted from the output, or all, which fail where there is no GPU or"
                            + " too little of its memory; or auto, what fits beside the context, and without a GPU none (default:"
                            + " ${DEFAULT-VALUE}).")
    private int layers;

    @Option(
            names = "--device",
            paramLabel = "NAME",
            split = ",",
            description = "Devices to use, as info --devices names them; none for the CPU alone (default: all GPUs).")
    private List<String> devices = new ArrayList<>();

    @Option(
            names = "--split-mode",
            paramLabel = "MODE",
            description = "How several GPUs share a model: layer, row, tensor, or none for one GPU (default: layer).")
    private @Nullable SplitMode splitMode;

    @Option(
            names = "--main-gpu",
            paramLabel = "N",
            defaultValue = "0",
            description = "Which GPU, counted from 0, with --split-mode none (default: ${DEFAULT-VALUE}).")
    private int mainGpu;

    @Option(
            names = "--tensor-split",
            paramLabel = "SHARE",
            split = ",",
            description = "Each GPU's share of the model, as in 3,1 (default: by free memory).")
    private float @Nullable [] tensorSplit;

    @Option(
            names = {"--cpu-moe", "--experts-on-cpu"},
            description = "Keep the experts of every layer in main memory, the rest on the GPU.")
    private boolean cpuExperts;

    @Option(
            names = "--n-cpu-moe",
            paramLabel = "N",
            defaultValue = "0",
            description =
                    "Keep the experts of the first N layers in main memory (default: as many as -ngl auto has to).")
    private int cpuExpertLayers;

    @Option(
            names = "--gpu-margin",
            paramLabel = "MIB",
            defaultValue = "1024",
            description = "Memory that -ngl auto leaves free on each GPU, in MiB (default: ${DEFAULT-VALUE}).")
    private int margin;

    /** {@code auto}, {@code all} or a number; -1 is llama.cpp's way to say all. */
    private static final class Layers implements ITypeConverter<Integer> {

        @Override
        public Integer convert(String value) {
            if (value.equals("auto")) {
                return ModelOptions.AUTO_LAYERS;
            }
            if (value.equals("all") || value.equals("-1")) {
                return ModelOptions.ALL_LAYERS;
            }
            if (!value.matches("\\d{1,9}")) {
                throw new TypeConversionException(
                        "'" + value + "' is not a number of layers; give 0 or more, auto or all");
            }
            return Integer.valueOf(value);
        }
    }

    void addTo(ModelOptions.Builder options) {
        if (cpuExperts && cpuExpertLayers != 0) {
            throw new IllegalArgumentException("--cpu-moe and --n-cpu-moe cannot both be given");
        }
        options.gpuLayers(layers)
                .mainDevice(mainGpu)
                .expertsOnCpu(cpuExperts ? Integer.MAX_VALUE : cpuExpertLayers)
                .gpuMargin(Require.inRange("--gpu-margin", margin, 0, Integer.MAX_VALUE) * MEBIBYTE);
        if (devices.contains("none") && devices.size() > 1) {
            throw new IllegalArgumentException("--device none goes with no other device");
        }
        if (!devices.isEmpty()) {
            options.devices(devices.contains("none") ? new String[0] : devices.toArray(String[]::new));
        }
        if (splitMode != null) {
            options.splitMode(splitMode);
        }
        if (tensorSplit != null) {
            options.tensorSplit(tensorSplit);
        }
    }
}
