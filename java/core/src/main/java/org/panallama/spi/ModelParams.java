package org.panallama.spi;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code llama_model_params}.
 *
 * @param devices device handles to offload to, or {@code null} for all; the binding adds the terminating null
 * @param overridePatterns regular expressions over tensor names, each with the buffer type at the same index
 * @param overrideBufferTypes {@link BackendCalls#deviceBufferType} values
 * @param gpuLayers layers in device memory; negative means all
 * @param splitMode a {@code llama_split_mode}
 * @param loadMode a {@code llama_load_mode}
 * @param lazyMode a {@code llama_lazy_mode}
 * @param mainGpu index into the devices
 * @param tensorSplit share of each device, of length {@link BackendCalls#maxDevices()}, or {@code null}
 * @param metadata overrides of the file's metadata
 */
public record ModelParams(
        long @Nullable [] devices,
        String[] overridePatterns,
        long[] overrideBufferTypes,
        int gpuLayers,
        int splitMode,
        int loadMode,
        int lazyMode,
        int mainGpu,
        float @Nullable [] tensorSplit,
        List<MetadataParam> metadata,
        boolean vocabOnly,
        boolean checkTensors,
        boolean useExtraBuffers,
        boolean noHost,
        boolean noAlloc,
        boolean loadMtp) {}
