package org.panallama.spi;

import org.jspecify.annotations.Nullable;

/** {@code llama_model_*} and {@code llama_adapter_lora_*}. */
public interface ModelCalls {

    /**
     * {@code llama_model_load_from_file}, or {@code llama_model_load_from_splits} for more than one path. Everything that
     * {@code params} points to stays valid until {@link #modelFree}.
     *
     * @return the model, or 0 if loading failed or was cancelled (the log says why)
     */
    long modelLoad(String[] paths, ModelParams params, @Nullable ProgressSink progress);

    void modelFree(long model);

    /** {@code llama_model_save_to_file}. */
    void modelSave(long model, String path);

    /** {@code llama_model_get_vocab}; valid as long as the model. */
    long modelVocab(long model);

    /** {@code llama_model_desc}. */
    String modelDescription(long model);

    long modelSize(long model);

    long modelParameters(long model);

    /** {@code llama_model_ftype}. */
    int modelFileType(long model);

    /** {@code llama_ftype_name}. */
    String fileTypeName(int fileType);

    int modelTrainContext(long model);

    int modelEmbedding(long model);

    int modelEmbeddingInput(long model);

    int modelEmbeddingOutput(long model);

    int modelLayers(long model);

    int modelHeads(long model);

    int modelHeadsKv(long model);

    int modelSlidingWindow(long model);

    /** {@code llama_model_rope_type}. */
    int modelRopeType(long model);

    float modelRopeFrequencyScale(long model);

    boolean modelHasEncoder(long model);

    boolean modelHasDecoder(long model);

    boolean modelIsRecurrent(long model);

    boolean modelIsHybrid(long model);

    boolean modelIsDiffusion(long model);

    int modelDecoderStartToken(long model);

    /** {@code llama_model_n_cls_out}. */
    int modelClassifierOutputs(long model);

    @Nullable String modelClassifierLabel(long model, int index);

    /** {@code llama_model_chat_template}; a {@code null} name asks for the default one. */
    @Nullable String modelChatTemplate(long model, @Nullable String name);

    int modelMetadataCount(long model);

    String modelMetadataKey(long model, int index);

    String modelMetadataValue(long model, int index);

    /** {@code llama_adapter_lora_init}; 0 on failure. */
    long loraLoad(long model, String path);

    void loraFree(long adapter);

    int loraMetadataCount(long adapter);

    String loraMetadataKey(long adapter, int index);

    String loraMetadataValue(long adapter, int index);

    /** {@code llama_adapter_get_alora_invocation_tokens}; empty for a plain LoRA. */
    int[] loraInvocationTokens(long adapter);
}
