package org.panallama;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.GgufPreflight;
import org.panallama.internal.LogRouter;
import org.panallama.internal.ModelSummary;
import org.panallama.internal.NativeRuntime;
import org.panallama.internal.PhysicalMemory;
import org.panallama.spi.Binding;
import org.panallama.spi.ModelParams;

/** One load: checks the files, translates the options, calls llama.cpp, and explains what went wrong. */
final class ModelLoader {

    private static final int LAZY_AUTO = 1;
    private static final int CPU = 0;

    private final NativeRuntime runtime;
    private final Binding binding;
    private final List<Path> parts;
    private final ModelOptions options;
    private @Nullable RuntimeException listenerFailure;
    private boolean cancelled;

    ModelLoader(NativeRuntime runtime, List<Path> parts, ModelOptions options) {
        this.runtime = runtime;
        this.binding = runtime.binding();
        this.parts = parts;
        this.options = options;
    }

    /** The address of the loaded model. */
    long load() {
        Path file = parts.get(0);
        ModelSummary summary = GgufPreflight.check(parts, options.metadata);
        if (summary.vocabOnly() && !options.vocabOnly) {
            throw new ModelLoadException(
                    file,
                    "it holds a vocabulary and no tensors. Load it with ModelOptions.vocabOnly(true) to tokenize, or"
                            + " choose a file with weights.");
        }
        if (options.checkMemory && !options.vocabOnly) {
            checkMemory(file, summary.tensorBytes());
        }
        ModelParams params = params();
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
            throw new ModelLoadException(file, "llama.cpp cannot load it." + LogRouter.explain(log));
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

    private void checkMemory(Path file, long needed) {
        long available = PhysicalMemory.totalBytes();
        if (options.gpuLayers != 0) {
            available += deviceMemory();
        }
        if (needed > available) {
            throw new ModelLoadException(
                    file,
                    String.format(
                            "it needs %.1f GB for its weights, and this machine has %.1f GB of memory. Choose a smaller"
                                    + " quantization of the model, or load it with ModelOptions.checkMemory(false): memory-mapped it"
                                    + " runs, at the speed of the disk.",
                            needed / 1e9, available / 1e9));
        }
    }

    private long deviceMemory() {
        long sum = 0;
        long[] freeAndTotal = new long[2];
        for (int i = 0; i < binding.deviceCount(); i++) {
            long device = binding.device(i);
            if (binding.deviceType(device) == DeviceKind.GPU.code()) {
                binding.deviceMemory(device, freeAndTotal);
                sum += freeAndTotal[1];
            }
        }
        return sum;
    }

    private ModelParams params() {
        long[] placements = options.placements.stream()
                .mapToLong(placement -> binding.deviceBufferType(deviceNamed(placement.device())))
                .toArray();
        return new ModelParams(
                offloadDevices(),
                options.placements.stream().map(TensorPlacement::pattern).toArray(String[]::new),
                placements,
                options.gpuLayers,
                options.splitMode.code(),
                options.loadMode.code(),
                LAZY_AUTO,
                options.mainDevice,
                tensorSplit(),
                options.metadata,
                options.vocabOnly,
                options.checkTensors,
                options.repackWeights,
                false,
                false,
                false);
    }

    private long @Nullable [] offloadDevices() {
        List<String> names = options.devices;
        if (names == null) {
            return null;
        }
        return names.stream()
                .mapToLong(this::deviceNamed)
                .filter(device -> binding.deviceType(device) != CPU) // the CPU is always there and never offloaded to
                .toArray();
    }

    private float @Nullable [] tensorSplit() {
        float[] shares = options.tensorSplit;
        if (shares == null) {
            return null;
        }
        int max = binding.maxDevices();
        if (shares.length > max) {
            throw new IllegalArgumentException(
                    "tensorSplit has " + shares.length + " shares, at most " + max + " devices exist");
        }
        return Arrays.copyOf(shares, max);
    }

    private long deviceNamed(String name) {
        List<String> known = new ArrayList<>();
        for (int i = 0; i < binding.deviceCount(); i++) {
            long device = binding.device(i);
            String candidate = binding.deviceName(device);
            if (candidate.equalsIgnoreCase(name)) {
                return device;
            }
            known.add(candidate);
        }
        throw new IllegalArgumentException("no device is called '" + name + "'; this machine has " + known);
    }
}
