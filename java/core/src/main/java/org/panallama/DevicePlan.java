package org.panallama;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.panallama.AttachedDevices.Attached;
import org.panallama.fit.MachineMemory;
import org.panallama.fit.MemoryNeed;
import org.panallama.fit.ModelMemory;
import org.panallama.fit.Placement;
import org.panallama.fit.PlacementSearch;
import org.panallama.fit.Weights;
import org.panallama.internal.ModelSummary;
import org.panallama.internal.NativeRuntime;

/** Where the parts of one model go: the options, settled against the devices that are there and their memory. */
final class DevicePlan {

    private final AttachedDevices attached;
    private final ModelOptions options;
    private final int layers;
    private final List<Attached> gpus;
    private final PlacementSearch search;
    private final boolean insists;
    private final Placement placement;

    /**
     * @throws IllegalArgumentException if the options name devices that are not there
     * @throws ModelLoadException if the options insist on a GPU, and there is none or nothing fits it
     */
    DevicePlan(NativeRuntime runtime, ModelSummary model, ModelOptions options) {
        this.attached = new AttachedDevices(runtime.binding());
        this.options = options;
        List<String> names = options.devices;
        boolean offloads =
                options.gpuLayers != 0 && !(names != null && named(names).isEmpty());
        this.insists = offloads && (options.gpuLayers != ModelOptions.AUTO_LAYERS || names != null);
        this.gpus = chosen(names == null ? attached.gpus() : named(names));
        if (insists && gpus.isEmpty()) {
            throw new ModelLoadException(
                    model.requested(),
                    layersInWords() + " is to be on a GPU, and there is none: " + runtime.whyNoGpu()
                            + " With gpuLayers(ModelOptions.AUTO_LAYERS) the CPU computes where no GPU can.");
        }
        checkSplit();
        checkPlacements();
        ModelMemory memory = ModelMemory.of(model);
        this.layers = memory.layers();
        this.search = search(memory);
        int experts = Math.min(options.cpuExpertLayers, layers);
        if (options.gpuLayers != ModelOptions.AUTO_LAYERS) {
            this.placement = search.place(all() ? layers + 1 : options.gpuLayers, experts);
            return;
        }
        this.placement = search.best();
        if (insists && !usesGpu()) {
            throw new ModelLoadException(
                    model.requested(),
                    "no layer of it fits " + available()
                            + ". Choose a shorter context or a smaller type of its cache with"
                            + " ModelOptions.fitFor(), a smaller quantization of the model, or another device.");
        }
    }

    private DevicePlan(DevicePlan other) {
        attached = other.attached;
        options = other.options;
        layers = other.layers;
        gpus = List.of();
        search = other.search;
        insists = false;
        placement = search.place(0, 0);
    }

    /** The same without any GPU. */
    DevicePlan onCpu() {
        return new DevicePlan(this);
    }

    /** Whether a part of the model goes to a GPU. */
    boolean usesGpu() {
        return !placement.shares().isEmpty();
    }

    /** Whether the user wants a GPU and nothing else. */
    boolean insists() {
        return insists;
    }

    Placement placement() {
        return placement;
    }

    /** What to tell the user of a plan that leaves the GPUs idle, {@code null} if that was wished for. */
    @Nullable String whyIdle() {
        return gpus.isEmpty() || usesGpu() || options.gpuLayers == 0
                ? null
                : "no layer fits " + available() + "; a shorter context, see ModelOptions.fitFor(), takes less";
    }

    /** For example {@code 33 of 33 layers on Vulkan0 (6.9 GB of the 8.2 GB free there), the experts of 12 in main memory}. */
    @Override
    public String toString() {
        String devices = placement.shares().stream()
                .map(share -> String.format(
                        Locale.ROOT,
                        "%s of %d layers on %s (%s of the %s free there)",
                        share.layers(),
                        layers + 1,
                        share.device().name(),
                        size(share.bytes()),
                        size(share.device().freeMemory())))
                .collect(Collectors.joining(", "));
        return devices
                + (placement.expertsOnCpu()
                        ? ", the experts of " + Math.min(placement.cpuExpertLayers(), layers) + " in main memory"
                        : "");
    }

    /** For llama.cpp: what to offload to. */
    long[] devices() {
        return idle() ? new long[0] : gpus.stream().mapToLong(Attached::address).toArray();
    }

    int gpuLayers() {
        return placement.gpuLayers() > layers ? ModelOptions.ALL_LAYERS : placement.gpuLayers();
    }

    /** Several devices split nothing where there is none. */
    SplitMode splitMode() {
        return usesGpu() ? options.splitMode : SplitMode.LAYER;
    }

    /** The share of each device, {@code null} without devices. */
    float @Nullable [] tensorSplit(int length) {
        return gpus.isEmpty() ? null : Arrays.copyOf(search.shares(), length);
    }

    /** Without layers of its own, a GPU may still multiply large batches, unless nothing is to be there at all. */
    private boolean idle() {
        return !usesGpu() && (gpus.isEmpty() || options.gpuLayers != 0);
    }

    /** The user's placements first, since the first that matches a tensor decides. */
    List<TensorPlacement> placements() {
        List<TensorPlacement> placements = new ArrayList<>();
        for (TensorPlacement placement : options.placements) {
            if (!idle() || attached.named(placement.device()).isCpu()) {
                placements.add(placement);
            }
        }
        int experts = placement.cpuExpertLayers();
        if (experts >= layers) {
            placements.add(TensorPlacement.expertsOnCpu());
        } else {
            for (int layer = 0; layer < experts; layer++) {
                placements.add(TensorPlacement.expertsOnCpu(layer));
            }
        }
        return placements;
    }

    long addressOf(String device) {
        return attached.named(device).address();
    }

    private boolean all() {
        return options.gpuLayers == ModelOptions.ALL_LAYERS;
    }

    private String layersInWords() {
        return all() ? "every layer" : options.gpuLayers > 0 ? "gpuLayers(" + options.gpuLayers + ")" : "a part";
    }

    /** The CPU is always there and never offloaded to. */
    private List<Attached> named(List<String> names) {
        return names.stream()
                .map(attached::named)
                .filter(device -> !device.isCpu())
                .toList();
    }

    private List<Attached> chosen(List<Attached> devices) {
        if (options.splitMode != SplitMode.NONE || devices.isEmpty()) {
            return devices;
        }
        if (options.mainDevice >= devices.size()) {
            throw new IllegalArgumentException("mainDevice is " + options.mainDevice + ", and the GPU devices are "
                    + names(devices) + ", counted from 0");
        }
        return List.of(devices.get(options.mainDevice));
    }

    private void checkSplit() {
        float[] shares = options.tensorSplit;
        if (shares != null && !gpus.isEmpty() && shares.length != gpus.size()) {
            throw new IllegalArgumentException("tensorSplit has " + shares.length
                    + " shares, must have one for each of " + gpus.size() + " GPU devices in use, " + names(gpus));
        }
    }

    /** A context computes on the devices in use alone, and cannot read a tensor that lies elsewhere. */
    private void checkPlacements() {
        for (TensorPlacement placement : options.placements) {
            Attached device = attached.named(placement.device());
            if (!device.isCpu() && !gpus.contains(device)) {
                throw new IllegalArgumentException("tensors that match \"" + placement.pattern() + "\" are to be on "
                        + placement.device() + ", and the GPU devices in use are " + names(gpus));
            }
        }
    }

    private PlacementSearch search(ModelMemory memory) {
        List<Pattern> pinned = options.placements.stream()
                .filter(placement -> attached.named(placement.device()).isCpu())
                .map(placement -> Pattern.compile(placement.pattern()))
                .toList();
        List<Device> devices = gpus.stream().map(Attached::device).toList();
        Weights weights = memory.weights(pinned);
        MachineMemory machine = MachineMemory.present(devices, options.gpuMargin);
        PlacementSearch result = new PlacementSearch(weights, need(memory, weights), machine);
        if (options.tensorSplit != null && !devices.isEmpty()) {
            result.split(options.tensorSplit);
        }
        if (options.splitMode == SplitMode.ROW || options.splitMode == SplitMode.TENSOR) {
            result.splitMatrices();
        }
        if (!options.fittedContext.offloadKv) {
            result.cacheInMainMemory();
        }
        return result.expertsOnCpu(options.cpuExpertLayers);
    }

    private MemoryNeed need(ModelMemory memory, Weights weights) {
        ContextOptions context = options.fittedContext;
        long length = context.cacheLength(memory.trainedLength());
        MemoryNeed one = memory.need(weights, length, context.keyType, context.valueType, context.microBatch);
        long scores =
                context.flashAttention == FlashAttention.OFF ? memory.attentionScores(length, context.microBatch) : 0;
        return new MemoryNeed(
                length,
                context.keyType,
                context.valueType,
                context.microBatch,
                one.weights(),
                context.caches() * one.kvCache(),
                one.compute() + scores);
    }

    private String available() {
        return gpus.stream()
                .map(gpu -> String.format(
                        Locale.ROOT,
                        "%s (%s free, of which %s are to stay so)",
                        gpu.device().name(),
                        size(gpu.device().freeMemory()),
                        size(options.gpuMargin)))
                .collect(Collectors.joining(", "));
    }

    private static String size(long bytes) {
        return bytes < 1_000_000_000
                ? String.format(Locale.ROOT, "%.0f MB", bytes / 1e6)
                : String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
    }

    private static List<String> names(List<Attached> devices) {
        return devices.stream().map(device -> device.device().name()).toList();
    }
}
