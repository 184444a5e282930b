package org.panallama;

import java.nio.file.Path;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.panallama.fit.Placement;
import org.panallama.internal.GgufPreflight;
import org.panallama.internal.LogRouter;
import org.panallama.internal.ModelSummary;
import org.panallama.internal.NativeRuntime;
import org.panallama.internal.PhysicalMemory;
import org.panallama.spi.Binding;
import org.panallama.spi.ModelParams;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One load: checks the files, translates the options, calls llama.cpp, and explains what went wrong. */
final class ModelLoader {

    private static final String GPU_ADVICE =
            " With gpuLayers(ModelOptions.AUTO_LAYERS) the GPU takes what fits, or else the CPU everything.";
    private static final int LAZY_AUTO = 1;
    private static final Logger LOG = LoggerFactory.getLogger(Model.class);

    private final NativeRuntime runtime;
    private final Binding binding;
    private final List<Path> parts;
    private final Path file;
    private final ModelOptions options;
    private @Nullable RuntimeException listenerFailure;
    private boolean cancelled;

    ModelLoader(NativeRuntime runtime, List<Path> parts, ModelOptions options) {
        this.runtime = runtime;
        this.binding = runtime.binding();
        this.parts = parts;
        this.file = parts.get(0);
        this.options = options;
    }

    /** A loaded model, and where its parts are; of a vocabulary alone nothing is anywhere. */
    record Loaded(long address, Placement placement, boolean insistsOnGpu) {}

    Loaded load() {
        ModelSummary summary = GgufPreflight.check(parts, options.metadata);
        if (summary.vocabOnly() && !options.vocabOnly) {
            throw new ModelLoadException(
                    file,
                    "it holds a vocabulary and no tensors. Load it with ModelOptions.vocabOnly(true) to tokenize, or"
                            + " choose a file with weights.");
        }
        if (options.vocabOnly) {
            return new Loaded(load(summary, null), new Placement(0, 0, 0, List.of(), true), false);
        }
        DevicePlan plan = new DevicePlan(runtime, summary, options);
        String idle = plan.whyIdle();
        if (idle != null) {
            LOG.warn("{} is computed by the CPU: {}", file, idle);
        }
        if (plan.usesGpu() && !plan.insists()) {
            try {
                return loaded(summary, plan);
            } catch (ModelLoadException e) {
                LOG.warn("The CPU computes everything, since the GPU does not take the model: {}", e.getMessage());
                return loaded(summary, plan.onCpu());
            }
        }
        return loaded(summary, plan);
    }

    private Loaded loaded(ModelSummary summary, DevicePlan plan) {
        if (options.checkMemory) {
            checkMemory(summary.tensorBytes(), plan);
        }
        long address = load(summary, plan);
        if (plan.usesGpu()) {
            LOG.info("{}: {}", file, plan);
        }
        return new Loaded(address, plan.placement(), plan.insists());
    }

    private long load(ModelSummary summary, @Nullable DevicePlan plan) {
        ModelParams params = params(plan);
        String[] paths = summary.paths().stream().map(Path::toString).toArray(String[]::new);
        Deque<String> log = LogRouter.newKeeper();
        LoadProgress listener = options.progress;
        long address = runtime.log()
                .keeping(
                        log,
                        () -> binding.modelLoad(paths, params, listener == null ? null : f -> report(listener, f)));
        if (listenerFailure != null) {
            if (address != 0) {
                binding.modelFree(address);
            }
            throw listenerFailure;
        }
        if (address == 0) {
            if (cancelled) {
                throw new CancellationException("Loading " + file + " was cancelled by its progress listener");
            }
            boolean onGpu = plan != null && plan.usesGpu();
            throw new ModelLoadException(
                    file,
                    "llama.cpp cannot load it" + (onGpu ? ", " + plan : "") + "."
                            + (onGpu && plan.insists() ? GPU_ADVICE : "") + LogRouter.explain(log));
        }
        return address;
    }

    /** An exception must not travel through native code: it stops the load and is thrown afterwards. */
    private boolean report(LoadProgress listener, float fraction) {
        try {
            boolean goOn = listener.onProgress(fraction);
            cancelled |= !goOn;
            return goOn;
        } catch (RuntimeException e) {
            listenerFailure = e;
            return false;
        }
    }

    private void checkMemory(long needed, DevicePlan plan) {
        long available = PhysicalMemory.totalBytes();
        for (Placement.Share share : plan.placement().shares()) {
            Device gpu = share.device();
            available += gpu.kind() == DeviceKind.GPU ? gpu.totalMemory() : 0;
        }
        if (needed > available) {
            throw new ModelLoadException(
                    file,
                    String.format(
                            Locale.ROOT,
                            "it needs %.1f GB for its weights, and this machine has %.1f GB of memory. Choose a smaller"
                                    + " quantization of the model, or load it with ModelOptions.checkMemory(false): memory-mapped it"
                                    + " runs, at the speed of the disk.",
                            needed / 1e9,
                            available / 1e9));
        }
    }

    private ModelParams params(@Nullable DevicePlan plan) {
        List<TensorPlacement> placements = plan == null ? List.of() : plan.placements();
        return new ModelParams(
                plan == null ? new long[0] : plan.devices(),
                placements.stream().map(TensorPlacement::pattern).toArray(String[]::new),
                placements.stream()
                        .mapToLong(placement -> binding.deviceBufferType(plan.addressOf(placement.device())))
                        .toArray(),
                plan == null ? 0 : plan.gpuLayers(),
                (plan == null ? SplitMode.LAYER : plan.splitMode()).code(),
                options.loadMode.code(),
                LAZY_AUTO,
                0, // the devices are those to use, and no others
                plan == null ? null : plan.tensorSplit(binding.maxDevices()),
                options.metadata,
                options.vocabOnly,
                options.checkTensors,
                options.repackWeights,
                false,
                false,
                false);
    }
}
