package org.panallama.spi;

/**
 * {@code llama_model_quantize_params}.
 *
 * @param fileType a {@code llama_ftype}
 * @param threads CPU threads; 0 means all
 * @param outputType a {@code ggml_type} for the output matrix, or -1 for the file type's choice
 * @param embeddingType a {@code ggml_type} for the token embeddings, or -1 for the file type's choice
 * @param allowRequantize whether tensors that are quantized already may be quantized again
 * @param quantizeOutput whether the output matrix is quantized
 * @param onlyCopy copy the tensors as they are; {@code fileType} and the two above do not matter then
 * @param pure the file type's main format for all tensors, instead of its mixture
 */
public record QuantizeParams(
        int fileType,
        int threads,
        int outputType,
        int embeddingType,
        boolean allowRequantize,
        boolean quantizeOutput,
        boolean onlyCopy,
        boolean pure) {}
