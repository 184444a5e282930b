package org.panallama;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.panallama.fit.MachineMemory;
import org.panallama.internal.Require;
import org.panallama.spi.MetadataParam;

/** How a model is loaded. Immutable; {@link #defaults()} suits most uses. */
public final class ModelOptions {

    /** Value of {@link Builder#gpuLayers} that puts every layer on the GPU devices. */
    public static final int ALL_LAYERS = -1;

    /** Value of {@link Builder#gpuLayers} that puts on the GPU devices what fits. */
    public static final int AUTO_LAYERS = -2;

    private static final ModelOptions DEFAULTS = builder().build();

    final int gpuLayers;
    final ContextOptions fittedContext;
    final long gpuMargin;
    final @Nullable List<String> devices;
    final SplitMode splitMode;
    final int mainDevice;
    final float @Nullable [] tensorSplit;
    final LoadMode loadMode;
    final int cpuExpertLayers;
    final List<TensorPlacement> placements;
    final List<MetadataParam> metadata;
    final boolean vocabOnly;
    final boolean checkTensors;
    final boolean checkMemory;
    final boolean repackWeights;
    final @Nullable LoadProgress progress;

    private ModelOptions(Builder builder) {
        gpuLayers = builder.gpuLayers;
        fittedContext = builder.fittedContext;
        gpuMargin = builder.gpuMargin;
        devices = builder.devices;
        splitMode = builder.splitMode;
        mainDevice = builder.mainDevice;
        tensorSplit = builder.tensorSplit;
        loadMode = builder.loadMode;
        cpuExpertLayers = builder.cpuExpertLayers;
        placements = List.copyOf(builder.placements);
        metadata = List.copyOf(builder.metadata.values());
        vocabOnly = builder.vocabOnly;
        checkTensors = builder.checkTensors;
        checkMemory = builder.checkMemory;
        repackWeights = builder.repackWeights;
        progress = builder.progress;
    }

    /** Memory-mapped, on the GPU devices as far as the model fits there, where there are any. */
    public static ModelOptions defaults() {
        return DEFAULTS;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** A builder that starts with these options. */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.gpuLayers = gpuLayers;
        builder.fittedContext = fittedContext;
        builder.gpuMargin = gpuMargin;
        builder.devices = devices;
        builder.splitMode = splitMode;
        builder.mainDevice = mainDevice;
        builder.tensorSplit = tensorSplit;
        builder.loadMode = loadMode;
        builder.cpuExpertLayers = cpuExpertLayers;
        builder.placements.addAll(placements);
        metadata.forEach(param -> builder.metadata.put(param.key(), param));
        builder.vocabOnly = vocabOnly;
        builder.checkTensors = checkTensors;
        builder.checkMemory = checkMemory;
        builder.repackWeights = repackWeights;
        builder.progress = progress;
        return builder;
    }

    /** Collects options; each value is checked when it is set. Not thread-safe. */
    public static final class Builder {

        private static final int MAX_OVERRIDE_BYTES = 127; // llama.cpp keeps keys and texts in char[128]

        private int gpuLayers = AUTO_LAYERS;
        private ContextOptions fittedContext = ContextOptions.defaults();
        private long gpuMargin = MachineMemory.DEFAULT_GPU_MARGIN;
        private @Nullable List<String> devices;
        private SplitMode splitMode = SplitMode.LAYER;
        private int mainDevice;
        private float @Nullable [] tensorSplit;
        private LoadMode loadMode = LoadMode.AUTO;
        private int cpuExpertLayers;
        private final List<TensorPlacement> placements = new ArrayList<>();
        private final Map<String, MetadataParam> metadata = new LinkedHashMap<>();
        private boolean vocabOnly;
        private boolean checkTensors;
        private boolean checkMemory = true;
        private boolean repackWeights = true;
        private @Nullable LoadProgress progress;

        private Builder() {}

        /**
         * The number of layers in the memory of GPU devices, counted from the output, which is one more; {@link
         * ModelOptions#ALL_LAYERS} for all; {@link ModelOptions#AUTO_LAYERS}, the default, for as many as fit beside a {@linkplain
         * #fitFor context}, those of a mixture of experts without as many experts as necessary.
         *
         * <p>By default a model is loaded without a GPU, with a warning, where there is none or its memory does not suffice after
         * all. A number of layers insists: the load then fails.
         *
         * @throws IllegalArgumentException if below -2
         */
        public Builder gpuLayers(int layers) {
            gpuLayers = Require.inRange("gpuLayers", layers, AUTO_LAYERS, Integer.MAX_VALUE);
            return this;
        }

        /**
         * The context that {@link ModelOptions#AUTO_LAYERS} leaves room for: its length, KV cache and micro-batch count. {@link
         * ContextOptions#defaults()} by default.
         */
        public Builder fitFor(ContextOptions context) {
            fittedContext = Objects.requireNonNull(context, "context");
            return this;
        }

        /**
         * Bytes that {@link ModelOptions#AUTO_LAYERS} leaves free on each GPU device for what else lives there; 1 GiB by default.
         *
         * @throws IllegalArgumentException if negative
         */
        public Builder gpuMargin(long bytes) {
            if (bytes < 0) {
                throw new IllegalArgumentException("gpuMargin is " + bytes + ", must be 0 or more");
            }
            gpuMargin = bytes;
            return this;
        }

        /**
         * The GPU devices to use, by {@link Device#name()}; {@code CPU}, or none at all, keeps the model on the CPU. All by default.
         * A GPU that is named is insisted on: where its memory does not suffice, the load fails.
         *
         * @throws IllegalArgumentException if one is named twice
         */
        public Builder devices(String... names) {
            for (int i = 1; i < names.length; i++) {
                if (List.of(names).indexOf(names[i]) < i) {
                    throw new IllegalArgumentException("device " + names[i] + " is named twice");
                }
            }
            devices = List.of(names);
            return this;
        }

        /** How the model is spread over several GPU devices; {@link SplitMode#LAYER} by default. */
        public Builder splitMode(SplitMode mode) {
            splitMode = Objects.requireNonNull(mode, "mode");
            return this;
        }

        /** The index, among the GPU devices in use, of the one that holds the model in {@link SplitMode#NONE}. */
        public Builder mainDevice(int index) {
            mainDevice = Require.inRange("mainDevice", index, 0, Integer.MAX_VALUE);
            return this;
        }

        /**
         * The share of each GPU device, as proportions in the order of the devices; by free memory by default. {@link Model#load}
         * refuses another number of shares than there are GPU devices in use.
         *
         * @throws IllegalArgumentException if a share is negative or not finite, or all are 0
         */
        public Builder tensorSplit(float... shares) {
            float sum = 0;
            for (float share : shares) {
                sum += Require.inRange("share", share, 0, Float.MAX_VALUE);
            }
            if (sum == 0) {
                throw new IllegalArgumentException("tensorSplit has no share above 0");
            }
            tensorSplit = shares.clone();
            return this;
        }

        /** How the file is read; {@link LoadMode#AUTO} by default, which memory-maps it. */
        public Builder loadMode(LoadMode mode) {
            loadMode = Objects.requireNonNull(mode, "mode");
            return this;
        }

        /** Adds a placement; the first one that matches a tensor decides. */
        public Builder place(TensorPlacement placement) {
            placements.add(Objects.requireNonNull(placement, "placement"));
            return this;
        }

        /** The experts of every layer on the CPU: runs a mixture-of-experts model whose attention alone fits the GPU. */
        public Builder expertsOnCpu() {
            return expertsOnCpu(Integer.MAX_VALUE);
        }

        /**
         * The experts of the first layers on the CPU: the big, sparsely used part of a mixture-of-experts model. With {@link
         * ModelOptions#AUTO_LAYERS}, of that many at least. {@linkplain #place Placements} come first.
         *
         * @param layers more than there are means all; 0 by default
         * @throws IllegalArgumentException if negative
         */
        public Builder expertsOnCpu(int layers) {
            cpuExpertLayers = Require.inRange("expertsOnCpu", layers, 0, Integer.MAX_VALUE);
            return this;
        }

        /** Overrides an integer of the file's metadata. */
        public Builder metadata(String key, long value) {
            return override(new MetadataParam(key, 0, value, 0, false, ""));
        }

        /** Overrides a floating-point number of the file's metadata. */
        public Builder metadata(String key, double value) {
            return override(new MetadataParam(key, 1, 0, value, false, ""));
        }

        /** Overrides a boolean of the file's metadata. */
        public Builder metadata(String key, boolean value) {
            return override(new MetadataParam(key, 2, 0, 0, value, ""));
        }

        /**
         * Overrides a text of the file's metadata.
         *
         * @throws IllegalArgumentException if key or value is longer than 127 bytes of UTF-8
         */
        public Builder metadata(String key, String value) {
            checkLength("value", value);
            return override(new MetadataParam(key, 3, 0, 0, false, value));
        }

        private Builder override(MetadataParam param) {
            if (param.key().isEmpty()) {
                throw new IllegalArgumentException("metadata key is empty");
            }
            checkLength("key", param.key());
            metadata.put(param.key(), param);
            return this;
        }

        private static void checkLength(String what, String text) {
            int bytes = Require.noNul("metadata " + what, text).getBytes(StandardCharsets.UTF_8).length;
            if (bytes > MAX_OVERRIDE_BYTES) {
                throw new IllegalArgumentException("metadata " + what + " \"" + text + "\" has " + bytes
                        + " bytes, at most " + MAX_OVERRIDE_BYTES + " can be overridden");
            }
        }

        /** Loads the vocabulary and metadata only; such a model tokenizes but has no context. */
        public Builder vocabOnly(boolean only) {
            vocabOnly = only;
            return this;
        }

        /** Reads all tensor data and refuses a file that holds invalid numbers. Off by default, since it takes time. */
        public Builder checkTensors(boolean check) {
            checkTensors = check;
            return this;
        }

        /** Whether a model that is larger than this machine's memory is refused, as it is by default. */
        public Builder checkMemory(boolean check) {
            checkMemory = check;
            return this;
        }

        /**
         * Whether the CPU backend may keep a second, rearranged copy of weights for its own faster kernels, as it does by
         * default where it has them.
         */
        public Builder repackWeights(boolean repack) {
            repackWeights = repack;
            return this;
        }

        /** Reports progress, and can cancel the load. */
        public Builder onProgress(LoadProgress listener) {
            progress = Objects.requireNonNull(listener, "listener");
            return this;
        }

        public ModelOptions build() {
            return new ModelOptions(this);
        }
    }
}
