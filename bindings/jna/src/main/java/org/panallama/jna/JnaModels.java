package org.panallama.jna;

import static org.panallama.jna.NativeMemory.bool;
import static org.panallama.jna.NativeMemory.text;
import static org.panallama.jna.NativeMemory.textOrNull;
import static org.panallama.jna.NativeMemory.utf8;
import static org.panallama.jna.NativeMemory.utf8OrNull;

import com.sun.jna.Callback;
import java.lang.ref.Reference;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.panallama.spi.ModelCalls;
import org.panallama.spi.ModelParams;
import org.panallama.spi.ProgressSink;
import org.panallama.spi.Upcalls;

abstract class JnaModels extends JnaBackend implements ModelCalls {

    /** What the parameters of a loaded model point to. */
    private static final Map<Long, NativeArena> PARAMETERS = new ConcurrentHashMap<>();

    /** {@code llama_progress_callback}. */
    @FunctionalInterface
    private interface ProgressCallback extends Callback {
        byte report(float fraction, long unused);
    }

    @Override
    public long modelLoad(String[] paths, ModelParams params, @Nullable ProgressSink progress) {
        NativeArena kept = new NativeArena();
        ProgressCallback callback = progress == null ? null : (fraction, unused) -> report(progress, fraction);
        long model = 0;
        try (NativeArena loading = new NativeArena()) {
            LlamaModelParams parameters = ModelParameters.write(params, kept);
            if (callback != null) {
                parameters.progress_callback = CLibrary.pointer(callback);
            }
            model = paths.length == 1
                    ? LlamaFunctions.llama_model_load_from_file(utf8(paths[0]), parameters)
                    : LlamaFunctions.llama_model_load_from_splits(loading.texts(paths), paths.length, parameters);
            return model;
        } finally {
            Reference.reachabilityFence(callback);
            if (model == 0) {
                kept.close();
            } else {
                PARAMETERS.put(model, kept);
            }
        }
    }

    private static byte report(ProgressSink progress, float fraction) {
        try {
            return bool(progress.progress(fraction));
        } catch (Throwable e) {
            Upcalls.report("progress sink", e);
            return 0;
        }
    }

    @Override
    public void modelFree(long model) {
        // Taken out first: once the model is freed, another thread's load may get the same address.
        NativeArena kept = PARAMETERS.remove(model);
        LlamaFunctions.llama_model_free(model);
        if (kept != null) {
            kept.close();
        }
    }

    @Override
    public void modelSave(long model, String path) {
        LlamaFunctions.llama_model_save_to_file(model, utf8(path));
    }

    @Override
    public long modelVocab(long model) {
        return LlamaFunctions.llama_model_get_vocab(model);
    }

    @Override
    public String modelDescription(long model) {
        return text((buffer, size) -> LlamaFunctions.llama_model_desc(model, buffer, size));
    }

    @Override
    public long modelSize(long model) {
        return LlamaFunctions.llama_model_size(model);
    }

    @Override
    public long modelParameters(long model) {
        return LlamaFunctions.llama_model_n_params(model);
    }

    @Override
    public int modelFileType(long model) {
        return LlamaFunctions.llama_model_ftype(model);
    }

    @Override
    public String fileTypeName(int fileType) {
        return text(LlamaFunctions.llama_ftype_name(fileType));
    }

    @Override
    public int modelTrainContext(long model) {
        return LlamaFunctions.llama_model_n_ctx_train(model);
    }

    @Override
    public int modelEmbedding(long model) {
        return LlamaFunctions.llama_model_n_embd(model);
    }

    @Override
    public int modelEmbeddingInput(long model) {
        return LlamaFunctions.llama_model_n_embd_inp(model);
    }

    @Override
    public int modelEmbeddingOutput(long model) {
        return LlamaFunctions.llama_model_n_embd_out(model);
    }

    @Override
    public int modelLayers(long model) {
        return LlamaFunctions.llama_model_n_layer(model);
    }

    @Override
    public int modelHeads(long model) {
        return LlamaFunctions.llama_model_n_head(model);
    }

    @Override
    public int modelHeadsKv(long model) {
        return LlamaFunctions.llama_model_n_head_kv(model);
    }

    @Override
    public int modelSlidingWindow(long model) {
        return LlamaFunctions.llama_model_n_swa(model);
    }

    @Override
    public int modelRopeType(long model) {
        return LlamaFunctions.llama_model_rope_type(model);
    }

    @Override
    public float modelRopeFrequencyScale(long model) {
        return LlamaFunctions.llama_model_rope_freq_scale_train(model);
    }

    @Override
    public boolean modelHasEncoder(long model) {
        return LlamaFunctions.llama_model_has_encoder(model) != 0;
    }

    @Override
    public boolean modelHasDecoder(long model) {
        return LlamaFunctions.llama_model_has_decoder(model) != 0;
    }

    @Override
    public boolean modelIsRecurrent(long model) {
        return LlamaFunctions.llama_model_is_recurrent(model) != 0;
    }

    @Override
    public boolean modelIsHybrid(long model) {
        return LlamaFunctions.llama_model_is_hybrid(model) != 0;
    }

    @Override
    public boolean modelIsDiffusion(long model) {
        return LlamaFunctions.llama_model_is_diffusion(model) != 0;
    }

    @Override
    public int modelDecoderStartToken(long model) {
        return LlamaFunctions.llama_model_decoder_start_token(model);
    }

    @Override
    public int modelClassifierOutputs(long model) {
        return LlamaFunctions.llama_model_n_cls_out(model);
    }

    @Override
    public @Nullable String modelClassifierLabel(long model, int index) {
        return textOrNull(LlamaFunctions.llama_model_cls_label(model, index));
    }

    @Override
    public @Nullable String modelChatTemplate(long model, @Nullable String name) {
        return textOrNull(LlamaFunctions.llama_model_chat_template(model, utf8OrNull(name)));
    }

    @Override
    public int modelMetadataCount(long model) {
        return LlamaFunctions.llama_model_meta_count(model);
    }

    @Override
    public String modelMetadataKey(long model, int index) {
        return text((buffer, size) -> LlamaFunctions.llama_model_meta_key_by_index(model, index, buffer, size));
    }

    @Override
    public String modelMetadataValue(long model, int index) {
        return text((buffer, size) -> LlamaFunctions.llama_model_meta_val_str_by_index(model, index, buffer, size));
    }

    @Override
    public long loraLoad(long model, String path) {
        return LlamaFunctions.llama_adapter_lora_init(model, utf8(path));
    }

    @Override
    public void loraFree(long adapter) {
        LlamaFunctions.llama_adapter_lora_free(adapter);
    }

    @Override
    public int loraMetadataCount(long adapter) {
        return LlamaFunctions.llama_adapter_meta_count(adapter);
    }

    @Override
    public String loraMetadataKey(long adapter, int index) {
        return text((buffer, size) -> LlamaFunctions.llama_adapter_meta_key_by_index(adapter, index, buffer, size));
    }

    @Override
    public String loraMetadataValue(long adapter, int index) {
        return text((buffer, size) -> LlamaFunctions.llama_adapter_meta_val_str_by_index(adapter, index, buffer, size));
    }

    @Override
    public int[] loraInvocationTokens(long adapter) {
        return NativeMemory.ints(
                LlamaFunctions.llama_adapter_get_alora_invocation_tokens(adapter),
                Math.toIntExact(LlamaFunctions.llama_adapter_get_alora_n_invocation_tokens(adapter)));
    }
}
