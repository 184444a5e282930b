package org.panallama.jna;

import static org.panallama.jna.NativeMemory.ALL;
import static org.panallama.jna.NativeMemory.POINTER_BYTES;
import static org.panallama.jna.NativeMemory.bool;
import static org.panallama.jna.NativeMemory.utf8;

import com.sun.jna.Pointer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.panallama.spi.QuantizeCalls;
import org.panallama.spi.QuantizeParams;

abstract class JnaQuantization extends JnaModels implements QuantizeCalls {

    /** Ends the list of layers to leave out. The other lists end with an entry of zeros. */
    private static final int NO_LAYER = -1;

    /** {@code llama_model_imatrix_data}: two pointers and a {@code size_t}. */
    private static final long IMPORTANCE_BYTES = 3 * POINTER_BYTES;

    /** {@code llama_model_tensor_override}: a pointer and an enum. */
    private static final long TENSOR_TYPE_BYTES = 2 * POINTER_BYTES;

    /** Parameters by address: the structure, whose memory is at the address, and what it points to. */
    private static final Map<Long, Quantization> QUANTIZATIONS = new ConcurrentHashMap<>();

    private record Quantization(LlamaQuantizeParams params, NativeArena arena) {}

    @Override
    public long quantizationNew(QuantizeParams params) {
        NativeArena arena = new NativeArena();
        long address = 0;
        try {
            LlamaQuantizeParams written = write(params, arena);
            written.write();
            address = Pointer.nativeValue(written.getPointer());
            QUANTIZATIONS.put(address, new Quantization(written, arena));
            return address;
        } finally {
            if (address == 0) {
                arena.close();
            }
        }
    }

    @Override
    public int quantizationRun(long quantization, String input, String output) {
        return LlamaFunctions.llama_model_quantize(utf8(input), utf8(output), quantization);
    }

    @Override
    public void quantizationStop(long quantization) {
        QUANTIZATIONS.get(quantization).params.turnOnDryRun();
    }

    @Override
    public void quantizationFree(long quantization) {
        QUANTIZATIONS.remove(quantization).arena.close();
    }

    private static LlamaQuantizeParams write(QuantizeParams params, NativeArena arena) {
        LlamaQuantizeParams to = LlamaFunctions.llama_model_quantize_default_params();
        to.ftype = params.fileType();
        to.nthread = params.threads();
        if (params.outputType() >= 0) {
            to.output_tensor_type = params.outputType();
        }
        if (params.embeddingType() >= 0) {
            to.token_embedding_type = params.embeddingType();
        }
        to.allow_requantize = bool(params.allowRequantize());
        to.quantize_output_tensor = bool(params.quantizeOutput());
        to.only_copy = bool(params.onlyCopy());
        to.pure = bool(params.pure());
        to.keep_split = bool(params.keepSplit());
        to.dry_run = bool(params.dryRun());
        if (params.importanceNames().length > 0) {
            to.imatrix = importance(params.importanceNames(), params.importanceValues(), arena);
        }
        if (!params.metadata().isEmpty()) {
            to.kv_overrides = ModelParameters.metadata(params.metadata(), arena);
        }
        if (params.tensorPatterns().length > 0) {
            to.tt_overrides = tensorTypes(params.tensorPatterns(), params.tensorTypes(), arena);
        }
        if (params.pruneLayers().length > 0) {
            int[] layers = params.pruneLayers();
            to.prune_layers = arena.allocate((layers.length + 1L) * Integer.BYTES);
            ALL.write(to.prune_layers, layers, 0, layers.length);
            ALL.setInt(to.prune_layers + (long) layers.length * Integer.BYTES, NO_LAYER);
        }
        if (params.maxBufferBytes() > 0) {
            to.max_buf_size = params.maxBufferBytes();
        }
        return to;
    }

    private static long importance(String[] names, float[][] values, NativeArena arena) {
        long list = arena.allocate((names.length + 1) * IMPORTANCE_BYTES);
        for (int i = 0; i < names.length; i++) {
            long entry = list + i * IMPORTANCE_BYTES;
            ALL.setLong(entry, arena.text(names[i]));
            ALL.setLong(entry + POINTER_BYTES, arena.floats(values[i]));
            ALL.setLong(entry + 2 * POINTER_BYTES, values[i].length);
        }
        return list;
    }

    private static long tensorTypes(String[] patterns, int[] types, NativeArena arena) {
        long list = arena.allocate((patterns.length + 1) * TENSOR_TYPE_BYTES);
        for (int i = 0; i < patterns.length; i++) {
            long entry = list + i * TENSOR_TYPE_BYTES;
            ALL.setLong(entry, arena.text(patterns[i]));
            ALL.setInt(entry + POINTER_BYTES, types[i]);
        }
        return list;
    }
}
