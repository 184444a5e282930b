package org.panallama.spi;

/** {@code llama_perf_context_data}. */
public record PerfData(
        double startMs,
        double loadMs,
        double promptMs,
        double decodeMs,
        int promptTokens,
        int decodeTokens,
        int graphsReused) {}
