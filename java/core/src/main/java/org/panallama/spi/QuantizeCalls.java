package org.panallama.spi;

/** {@code llama_model_quantize}. */
public interface QuantizeCalls {

    /** Native parameters, to be freed with {@link #quantizationFree}. */
    long quantizationNew(QuantizeParams params);

    /**
     * {@code llama_model_quantize}. Ends the process where a format needs an importance matrix and llama.cpp does not check:
     * IQ2_XXS, IQ2_XS and IQ1 formats as {@code outputType} or {@code embeddingType}; with formats that are not for weights; and
     * with {@code keepSplit} where a part after the first has no tensors.
     *
     * @param output the file to write, or the common beginning of the files' names with {@code keepSplit}; cut off where the
     *     call fails midway, and not touched by a dry run
     * @return 0 if it was written, otherwise the log says why not
     */
    int quantizationRun(long quantization, String input, String output);

    /**
     * Makes a run end after the tensor that it has under way, from any thread or from the log. The run returns as if all were
     * well, but what it wrote is incomplete. llama.cpp offers no such thing: this turns on the parameters' dry run, which v0.4.0
     * looks at before each tensor.
     */
    void quantizationStop(long quantization);

    /** Not while a run is under way. */
    void quantizationFree(long quantization);

    /** All of it in one call. */
    default int modelQuantize(String input, String output, QuantizeParams params) {
        long quantization = quantizationNew(params);
        try {
            return quantizationRun(quantization, input, output);
        } finally {
            quantizationFree(quantization);
        }
    }
}
