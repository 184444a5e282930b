package org.panallama.spi;

import java.util.List;

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
 * @param keepSplit one output file for each input file
 * @param dryRun log what would be done to each tensor, and write nothing
 * @param importanceNames the tensors that an importance matrix has values for; empty for no importance matrix
 * @param importanceValues for each of them one number for each column, expert after expert
 * @param metadata what to add or replace in the output's metadata
 * @param tensorPatterns regular expressions of ECMAScript; tensors whose names have a match get the format of the first such
 * @param tensorTypes a {@code ggml_type} for each pattern
 * @param pruneLayers layers to leave out, ascending
 * @param maxBufferBytes most bytes of a tensor in memory at once; 0 for llama.cpp's default
 */
public record QuantizeParams(
        int fileType,
        int threads,
        int outputType,
        int embeddingType,
        boolean allowRequantize,
        boolean quantizeOutput,
        boolean onlyCopy,
        boolean pure,
        boolean keepSplit,
        boolean dryRun,
        String[] importanceNames,
        float[][] importanceValues,
        List<MetadataParam> metadata,
        String[] tensorPatterns,
        int[] tensorTypes,
        int[] pruneLayers,
        long maxBufferBytes) {

    /** One file, without an importance matrix or overrides. */
    public QuantizeParams(
            int fileType,
            int threads,
            int outputType,
            int embeddingType,
            boolean allowRequantize,
            boolean quantizeOutput,
            boolean onlyCopy,
            boolean pure) {
        this(
                fileType,
                threads,
                outputType,
                embeddingType,
                allowRequantize,
                quantizeOutput,
                onlyCopy,
                pure,
                false,
                false,
                new String[0],
                new float[0][],
                List.of(),
                new String[0],
                new int[0],
                new int[0],
                0);
    }
}
