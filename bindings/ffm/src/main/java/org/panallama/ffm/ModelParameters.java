package org.panallama.ffm;

import static org.panallama.ffm.NativeMemory.pointer;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.panallama.ffm.generated.llama_h;
import org.panallama.ffm.generated.llama_model_kv_override;
import org.panallama.ffm.generated.llama_model_params;
import org.panallama.ffm.generated.llama_model_tensor_buft_override;
import org.panallama.spi.MetadataParam;
import org.panallama.spi.ModelParams;

/** Writes {@code llama_model_params} and what it points to. The lists in it end with an entry of zeros. */
final class ModelParameters {

    private ModelParameters() {}

    static MemorySegment write(ModelParams params, Arena arena) {
        MemorySegment to = llama_h.llama_model_default_params(arena);
        if (params.devices() != null) {
            llama_model_params.devices(to, devices(params.devices(), arena));
        }
        if (params.overridePatterns().length > 0) {
            llama_model_params.tensor_buft_overrides(
                    to, tensorOverrides(params.overridePatterns(), params.overrideBufferTypes(), arena));
        }
        if (params.tensorSplit() != null) {
            llama_model_params.tensor_split(to, arena.allocateFrom(ValueLayout.JAVA_FLOAT, params.tensorSplit()));
        }
        if (!params.metadata().isEmpty()) {
            llama_model_params.kv_overrides(to, metadata(params.metadata(), arena));
        }
        llama_model_params.n_gpu_layers(to, params.gpuLayers());
        llama_model_params.split_mode(to, params.splitMode());
        llama_model_params.load_mode(to, params.loadMode());
        llama_model_params.lazy_mode(to, params.lazyMode());
        llama_model_params.main_gpu(to, params.mainGpu());
        llama_model_params.vocab_only(to, params.vocabOnly());
        llama_model_params.check_tensors(to, params.checkTensors());
        llama_model_params.use_extra_bufts(to, params.useExtraBuffers());
        llama_model_params.no_host(to, params.noHost());
        llama_model_params.no_alloc(to, params.noAlloc());
        llama_model_params.load_mtp(to, params.loadMtp());
        return to;
    }

    private static MemorySegment devices(long[] devices, Arena arena) {
        MemorySegment list = arena.allocate(ValueLayout.ADDRESS, devices.length + 1L);
        MemorySegment.copy(devices, 0, list, ValueLayout.JAVA_LONG, 0, devices.length);
        return list;
    }

    private static MemorySegment tensorOverrides(String[] patterns, long[] bufferTypes, Arena arena) {
        MemorySegment list = llama_model_tensor_buft_override.allocateArray(patterns.length + 1L, arena);
        for (int i = 0; i < patterns.length; i++) {
            MemorySegment entry = llama_model_tensor_buft_override.asSlice(list, i);
            llama_model_tensor_buft_override.pattern(entry, NativeMemory.text(arena, patterns[i]));
            llama_model_tensor_buft_override.buft(entry, pointer(bufferTypes[i]));
        }
        return list;
    }

    /** A list of {@code llama_model_kv_override}. */
    static MemorySegment metadata(List<MetadataParam> overrides, Arena arena) {
        MemorySegment list = llama_model_kv_override.allocateArray(overrides.size() + 1L, arena);
        for (int i = 0; i < overrides.size(); i++) {
            MetadataParam override = overrides.get(i);
            MemorySegment entry = llama_model_kv_override.asSlice(list, i);
            llama_model_kv_override.tag(entry, override.tag());
            copy(override.key(), llama_model_kv_override.key(entry));
            switch (override.tag()) {
                case 0 -> llama_model_kv_override.val_i64(entry, override.integer());
                case 1 -> llama_model_kv_override.val_f64(entry, override.real());
                case 2 -> llama_model_kv_override.val_bool(entry, override.flag());
                case 3 -> copy(override.text(), llama_model_kv_override.val_str(entry));
                default ->
                    throw new IllegalArgumentException("the tag of metadata override " + override.key()
                            + " must be 0 to 3, not " + override.tag());
            }
        }
        return list;
    }

    private static void copy(String text, MemorySegment array) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        if (utf8.length >= array.byteSize()) {
            throw new IllegalArgumentException("the text of a metadata override must have at most "
                    + (array.byteSize() - 1) + " UTF-8 bytes, not " + utf8.length + ": " + text);
        }
        MemorySegment.copy(utf8, 0, array, ValueLayout.JAVA_BYTE, 0, utf8.length);
    }
}
