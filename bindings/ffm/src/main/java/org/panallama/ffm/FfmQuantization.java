package org.panallama.ffm;

import static org.panallama.ffm.NativeMemory.pointer;
import static org.panallama.ffm.NativeMemory.text;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.panallama.ffm.generated.llama_h;
import org.panallama.ffm.generated.llama_model_imatrix_data;
import org.panallama.ffm.generated.llama_model_quantize_params;
import org.panallama.ffm.generated.llama_model_tensor_override;
import org.panallama.spi.QuantizeCalls;
import org.panallama.spi.QuantizeParams;

abstract class FfmQuantization extends FfmModels implements QuantizeCalls {

    /** Ends the list of layers to leave out. The other lists end with an entry of zeros. */
    private static final int NO_LAYER = -1;

    /** Parameters by address, with what they point to. */
    private static final Map<Long, Arena> QUANTIZATIONS = new ConcurrentHashMap<>();

    @Override
    public long quantizationNew(QuantizeParams params) {
        Arena arena = Arena.ofShared();
        long address = 0;
        try {
            address = write(params, arena).address();
            QUANTIZATIONS.put(address, arena);
            return address;
        } finally {
            if (address == 0) {
                arena.close();
            }
        }
    }

    @Override
    public int quantizationRun(long quantization, String input, String output) {
        try (Arena arena = Arena.ofConfined()) {
            return llama_h.llama_model_quantize(text(arena, input), text(arena, output), pointer(quantization));
        }
    }

    @Override
    public void quantizationStop(long quantization) {
        llama_model_quantize_params.dry_run(NativeMemory.at(quantization, llama_model_quantize_params.sizeof()), true);
    }

    @Override
    public void quantizationFree(long quantization) {
        QUANTIZATIONS.remove(quantization).close();
    }

    private static MemorySegment write(QuantizeParams params, Arena arena) {
        MemorySegment to = llama_h.llama_model_quantize_default_params(arena);
        llama_model_quantize_params.ftype(to, params.fileType());
        llama_model_quantize_params.nthread(to, params.threads());
        if (params.outputType() >= 0) {
            llama_model_quantize_params.output_tensor_type(to, params.outputType());
        }
        if (params.embeddingType() >= 0) {
            llama_model_quantize_params.token_embedding_type(to, params.embeddingType());
        }
        llama_model_quantize_params.allow_requantize(to, params.allowRequantize());
        llama_model_quantize_params.quantize_output_tensor(to, params.quantizeOutput());
        llama_model_quantize_params.only_copy(to, params.onlyCopy());
        llama_model_quantize_params.pure(to, params.pure());
        llama_model_quantize_params.keep_split(to, params.keepSplit());
        llama_model_quantize_params.dry_run(to, params.dryRun());
        if (params.importanceNames().length > 0) {
            llama_model_quantize_params.imatrix(
                    to, importance(params.importanceNames(), params.importanceValues(), arena));
        }
        if (!params.metadata().isEmpty()) {
            llama_model_quantize_params.kv_overrides(to, ModelParameters.metadata(params.metadata(), arena));
        }
        if (params.tensorPatterns().length > 0) {
            llama_model_quantize_params.tt_overrides(
                    to, tensorTypes(params.tensorPatterns(), params.tensorTypes(), arena));
        }
        if (params.pruneLayers().length > 0) {
            int[] layers = params.pruneLayers();
            MemorySegment list = arena.allocate(ValueLayout.JAVA_INT, layers.length + 1L);
            MemorySegment.copy(layers, 0, list, ValueLayout.JAVA_INT, 0, layers.length);
            list.setAtIndex(ValueLayout.JAVA_INT, layers.length, NO_LAYER);
            llama_model_quantize_params.prune_layers(to, list);
        }
        if (params.maxBufferBytes() > 0) {
            llama_model_quantize_params.max_buf_size(to, params.maxBufferBytes());
        }
        return to;
    }

    private static MemorySegment importance(String[] names, float[][] values, Arena arena) {
        MemorySegment list = llama_model_imatrix_data.allocateArray(names.length + 1L, arena);
        for (int i = 0; i < names.length; i++) {
            MemorySegment entry = llama_model_imatrix_data.asSlice(list, i);
            llama_model_imatrix_data.name(entry, text(arena, names[i]));
            llama_model_imatrix_data.data(entry, arena.allocateFrom(ValueLayout.JAVA_FLOAT, values[i]));
            llama_model_imatrix_data.size(entry, values[i].length);
        }
        return list;
    }

    private static MemorySegment tensorTypes(String[] patterns, int[] types, Arena arena) {
        MemorySegment list = llama_model_tensor_override.allocateArray(patterns.length + 1L, arena);
        for (int i = 0; i < patterns.length; i++) {
            MemorySegment entry = llama_model_tensor_override.asSlice(list, i);
            llama_model_tensor_override.pattern(entry, text(arena, patterns[i]));
            llama_model_tensor_override.type(entry, types[i]);
        }
        return list;
    }
}
