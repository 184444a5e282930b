package org.panallama.jna;

import static org.panallama.jna.NativeMemory.ALL;
import static org.panallama.jna.NativeMemory.POINTER_BYTES;
import static org.panallama.jna.NativeMemory.bool;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.panallama.spi.MetadataParam;
import org.panallama.spi.ModelParams;

/** Writes {@code llama_model_params} and what it points to. The lists in it end with an entry of zeros. */
final class ModelParameters {

    /** {@code llama_model_kv_override}: a tag, a key of 128 bytes, and a union of the same size, aligned to 8. */
    private static final long KEY = Integer.BYTES;

    private static final long TEXT_BYTES = 128;
    private static final long VALUE = 136;
    private static final long METADATA_BYTES = VALUE + TEXT_BYTES;

    private ModelParameters() {}

    static LlamaModelParams write(ModelParams params, NativeArena arena) {
        LlamaModelParams to = LlamaFunctions.llama_model_default_params();
        if (params.devices() != null) {
            to.devices = devices(params.devices(), arena);
        }
        if (params.overridePatterns().length > 0) {
            to.tensor_buft_overrides = tensorOverrides(params.overridePatterns(), params.overrideBufferTypes(), arena);
        }
        if (params.tensorSplit() != null) {
            to.tensor_split = arena.floats(params.tensorSplit());
        }
        if (!params.metadata().isEmpty()) {
            to.kv_overrides = metadata(params.metadata(), arena);
        }
        to.n_gpu_layers = params.gpuLayers();
        to.split_mode = params.splitMode();
        to.load_mode = params.loadMode();
        to.lazy_mode = params.lazyMode();
        to.main_gpu = params.mainGpu();
        to.vocab_only = bool(params.vocabOnly());
        to.check_tensors = bool(params.checkTensors());
        to.use_extra_bufts = bool(params.useExtraBuffers());
        to.no_host = bool(params.noHost());
        to.no_alloc = bool(params.noAlloc());
        to.load_mtp = bool(params.loadMtp());
        return to;
    }

    private static long devices(long[] devices, NativeArena arena) {
        long list = arena.allocate((devices.length + 1L) * POINTER_BYTES);
        ALL.write(list, devices, 0, devices.length);
        return list;
    }

    /** {@code llama_model_tensor_buft_override}: two pointers. */
    private static long tensorOverrides(String[] patterns, long[] bufferTypes, NativeArena arena) {
        long list = arena.allocate((patterns.length + 1L) * 2 * POINTER_BYTES);
        for (int i = 0; i < patterns.length; i++) {
            long entry = list + (long) i * 2 * POINTER_BYTES;
            ALL.setLong(entry, arena.text(patterns[i]));
            ALL.setLong(entry + POINTER_BYTES, bufferTypes[i]);
        }
        return list;
    }

    /** A list of {@code llama_model_kv_override}. */
    static long metadata(List<MetadataParam> overrides, NativeArena arena) {
        long list = arena.allocate((overrides.size() + 1) * METADATA_BYTES);
        for (int i = 0; i < overrides.size(); i++) {
            MetadataParam override = overrides.get(i);
            long entry = list + i * METADATA_BYTES;
            ALL.setInt(entry, override.tag());
            copy(override.key(), entry + KEY);
            switch (override.tag()) {
                case 0 -> ALL.setLong(entry + VALUE, override.integer());
                case 1 -> ALL.setDouble(entry + VALUE, override.real());
                case 2 -> ALL.setByte(entry + VALUE, bool(override.flag()));
                case 3 -> copy(override.text(), entry + VALUE);
                default ->
                    throw new IllegalArgumentException("the tag of metadata override " + override.key()
                            + " must be 0 to 3, not " + override.tag());
            }
        }
        return list;
    }

    private static void copy(String text, long array) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        if (utf8.length >= TEXT_BYTES) {
            throw new IllegalArgumentException("the text of a metadata override must have at most " + (TEXT_BYTES - 1)
                    + " UTF-8 bytes, not " + utf8.length + ": " + text);
        }
        ALL.write(array, utf8, 0, utf8.length);
    }
}
