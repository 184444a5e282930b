package org.panallama.ffm;

import static org.panallama.ffm.NativeMemory.pointer;
import static org.panallama.ffm.NativeMemory.text;
import static org.panallama.ffm.NativeMemory.textOrNull;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.panallama.ffm.generated.llama_h;
import org.panallama.ffm.generated.llama_model_params;
import org.panallama.ffm.generated.llama_progress_callback;
import org.panallama.spi.ModelCalls;
import org.panallama.spi.ModelParams;
import org.panallama.spi.ProgressSink;
import org.panallama.spi.Upcalls;

abstract class FfmModels extends FfmBackend implements ModelCalls {

    /** What the parameters of a loaded model point to. */
    private static final Map<Long, Arena> PARAMETERS = new ConcurrentHashMap<>();

    @Override
    public long modelLoad(String[] paths, ModelParams params, @Nullable ProgressSink progress) {
        Arena kept = Arena.ofShared();
        long model = 0;
        try (Arena loading = Arena.ofConfined()) {
            MemorySegment parameters = ModelParameters.write(params, kept);
            if (progress != null) {
                llama_model_params.progress_callback(
                        parameters,
                        llama_progress_callback.allocate((fraction, unused) -> report(progress, fraction), loading));
            }
            MemorySegment loaded = paths.length == 1
                    ? llama_h.llama_model_load_from_file(text(loading, paths[0]), parameters)
                    : llama_h.llama_model_load_from_splits(
                            NativeMemory.texts(loading, paths), paths.length, parameters);
            model = loaded.address();
            return model;
        } finally {
            if (model == 0) {
                kept.close();
            } else {
                PARAMETERS.put(model, kept);
            }
        }
    }

    private static boolean report(ProgressSink progress, float fraction) {
        try {
            return progress.progress(fraction);
        } catch (Throwable e) {
            Upcalls.report("progress sink", e);
            return false;
        }
    }

    @Override
    public void modelFree(long model) {
        // Taken out first: once the model is freed, another thread's load may get the same address.
        Arena kept = PARAMETERS.remove(model);
        llama_h.llama_model_free(pointer(model));
        if (kept != null) {
            kept.close();
        }
    }

    @Override
    public void modelSave(long model, String path) {
        try (Arena arena = Arena.ofConfined()) {
            llama_h.llama_model_save_to_file(pointer(model), text(arena, path));
        }
    }

    @Override
    public long modelVocab(long model) {
        return llama_h.llama_model_get_vocab(pointer(model)).address();
    }

    @Override
    public String modelDescription(long model) {
        return text((buffer, size) -> llama_h.llama_model_desc(pointer(model), buffer, size));
    }

    @Override
    public long modelSize(long model) {
        return llama_h.llama_model_size(pointer(model));
    }

    @Override
    public long modelParameters(long model) {
        return llama_h.llama_model_n_params(pointer(model));
    }

    @Override
    public int modelFileType(long model) {
        return llama_h.llama_model_ftype(pointer(model));
    }

    @Override
    public String fileTypeName(int fileType) {
        return text(llama_h.llama_ftype_name(fileType));
    }

    @Override
    public int modelTrainContext(long model) {
        return llama_h.llama_model_n_ctx_train(pointer(model));
    }

    @Override
    public int modelEmbedding(long model) {
        return llama_h.llama_model_n_embd(pointer(model));
    }

    @Override
    public int modelEmbeddingInput(long model) {
        return llama_h.llama_model_n_embd_inp(pointer(model));
    }

    @Override
    public int modelEmbeddingOutput(long model) {
        return llama_h.llama_model_n_embd_out(pointer(model));
    }

    @Override
    public int modelLayers(long model) {
        return llama_h.llama_model_n_layer(pointer(model));
    }

    @Override
    public int modelHeads(long model) {
        return llama_h.llama_model_n_head(pointer(model));
    }

    @Override
    public int modelHeadsKv(long model) {
        return llama_h.llama_model_n_head_kv(pointer(model));
    }

    @Override
    public int modelSlidingWindow(long model) {
        return llama_h.llama_model_n_swa(pointer(model));
    }

    @Override
    public int modelRopeType(long model) {
        return llama_h.llama_model_rope_type(pointer(model));
    }

    @Override
    public float modelRopeFrequencyScale(long model) {
        return llama_h.llama_model_rope_freq_scale_train(pointer(model));
    }

    @Override
    public boolean modelHasEncoder(long model) {
        return llama_h.llama_model_has_encoder(pointer(model));
    }

    @Override
    public boolean modelHasDecoder(long model) {
        return llama_h.llama_model_has_decoder(pointer(model));
    }

    @Override
    public boolean modelIsRecurrent(long model) {
        return llama_h.llama_model_is_recurrent(pointer(model));
    }

    @Override
    public boolean modelIsHybrid(long model) {
        return llama_h.llama_model_is_hybrid(pointer(model));
    }

    @Override
    public boolean modelIsDiffusion(long model) {
        return llama_h.llama_model_is_diffusion(pointer(model));
    }

    @Override
    public int modelDecoderStartToken(long model) {
        return llama_h.llama_model_decoder_start_token(pointer(model));
    }

    @Override
    public int modelClassifierOutputs(long model) {
        return llama_h.llama_model_n_cls_out(pointer(model));
    }

    @Override
    public @Nullable String modelClassifierLabel(long model, int index) {
        return textOrNull(llama_h.llama_model_cls_label(pointer(model), index));
    }

    @Override
    public @Nullable String modelChatTemplate(long model, @Nullable String name) {
        try (Arena arena = Arena.ofConfined()) {
            return textOrNull(llama_h.llama_model_chat_template(
                    pointer(model), name == null ? MemorySegment.NULL : text(arena, name)));
        }
    }

    @Override
    public int modelMetadataCount(long model) {
        return llama_h.llama_model_meta_count(pointer(model));
    }

    @Override
    public String modelMetadataKey(long model, int index) {
        return text((buffer, size) -> llama_h.llama_model_meta_key_by_index(pointer(model), index, buffer, size));
    }

    @Override
    public String modelMetadataValue(long model, int index) {
        return text((buffer, size) -> llama_h.llama_model_meta_val_str_by_index(pointer(model), index, buffer, size));
    }

    @Override
    public long loraLoad(long model, String path) {
        try (Arena arena = Arena.ofConfined()) {
            return llama_h.llama_adapter_lora_init(pointer(model), text(arena, path))
                    .address();
        }
    }

    @Override
    public void loraFree(long adapter) {
        llama_h.llama_adapter_lora_free(pointer(adapter));
    }

    @Override
    public int loraMetadataCount(long adapter) {
        return llama_h.llama_adapter_meta_count(pointer(adapter));
    }

    @Override
    public String loraMetadataKey(long adapter, int index) {
        return text((buffer, size) -> llama_h.llama_adapter_meta_key_by_index(pointer(adapter), index, buffer, size));
    }

    @Override
    public String loraMetadataValue(long adapter, int index) {
        return text(
                (buffer, size) -> llama_h.llama_adapter_meta_val_str_by_index(pointer(adapter), index, buffer, size));
    }

    @Override
    public int[] loraInvocationTokens(long adapter) {
        long count = llama_h.llama_adapter_get_alora_n_invocation_tokens(pointer(adapter));
        if (count == 0) {
            return new int[0];
        }
        return llama_h.llama_adapter_get_alora_invocation_tokens(pointer(adapter))
                .asSlice(0, count * Integer.BYTES)
                .toArray(ValueLayout.JAVA_INT);
    }
}
