package org.panallama.spi;

import org.jspecify.annotations.Nullable;

/**
 * {@code llama_context_params}; the enum-like values are those of {@code llama.h}. Fields that are not here keep
 * {@code llama_context_default_params}.
 *
 * @param abortFlag address of two bytes, or 0: the computation stops soon after the first byte becomes non-zero (the second
 *     stays 0). The binding installs a native function as abort callback, so that watching the flag costs no call into Java.
 * @param evaluation is shown the nodes of the graph as they are computed, or {@code null}; {@code cb_eval}
 */
public record ContextParams(
        int length,
        int batch,
        int microBatch,
        int maxSequences,
        int threads,
        int threadsBatch,
        int ropeScaling,
        int pooling,
        int attention,
        int flashAttention,
        float ropeFrequencyBase,
        float ropeFrequencyScale,
        float yarnExtFactor,
        float yarnAttnFactor,
        float yarnBetaFast,
        float yarnBetaSlow,
        int yarnOriginalContext,
        int typeK,
        int typeV,
        long abortFlag,
        boolean embeddings,
        boolean offloadKqv,
        boolean noPerf,
        boolean opOffload,
        boolean swaFull,
        boolean kvUnified,
        @Nullable EvaluationSink evaluation) {}
