package org.panallama.tools;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What a benchmark measured.
 *
 * @param model the file
 * @param llamaVersion of the library that computed
 * @param modelType what llama.cpp calls the model, for instance {@code llama 8x7B Q4_K - Medium}
 * @param modelBytes size of the weights
 * @param modelParameters number of the weights
 * @param bytesPerToken weights that computing one token reads: of the experts those used, of the embeddings one row
 * @param threads threads that computed
 * @param batch tokens in a batch
 * @param microBatch tokens computed at once
 * @param readBandwidth bytes a second that as many threads can read from memory, measured before the tests
 * @param results one for each test and side, the sides of a test next to each other
 */
public record BenchReport(
        Path model,
        String llamaVersion,
        String modelType,
        long modelBytes,
        long modelParameters,
        long bytesPerToken,
        int threads,
        int batch,
        int microBatch,
        double readBandwidth,
        List<BenchResult> results) {

    /** Copies the list. */
    public BenchReport {
        results = List.copyOf(results);
    }

    /** Bytes of weights a second that a test of generation read; none for a prompt, which uses each weight many times. */
    public OptionalDouble bandwidth(BenchResult result) {
        return result.generatedTokens() == 0
                ? OptionalDouble.empty()
                : OptionalDouble.of(bytesPerToken * result.meanTokensPerSecond());
    }

    /** How many times as fast a result is as that of the first side in the same test. */
    public double ratio(BenchResult result) {
        BenchResult first = results.stream()
                .filter(other -> other.test().equals(result.test()))
                .findFirst()
                .orElse(result);
        return result.meanTokensPerSecond() / first.meanTokensPerSecond();
    }
}
