package org.panallama.tools;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * What a benchmark measured.
 *
 * <p>A prompt is held against {@code peakMultiplyAdds}, generating against {@code readBandwidth}.
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
 * @param multiplyAdds of integers that a prompt takes
 * @param peakMultiplyAdds multiply-adds of bytes a second that as many threads can do in registers by the instruction that
 *     Panallama's kernels use here, measured before the tests; none where those do not run
 * @param scratchBytes memory that Panallama's kernels had for the context beside llama.cpp's, for sides where they ran
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
        MultiplyAdds multiplyAdds,
        OptionalDouble peakMultiplyAdds,
        Map<Kernels, Long> scratchBytes,
        List<BenchResult> results) {

    /** Copies the collections. */
    public BenchReport {
        scratchBytes = Map.copyOf(scratchBytes);
        results = List.copyOf(results);
    }

    /** Bytes of weights a second that a test of generation read; none for a prompt, which uses each weight many times. */
    public OptionalDouble bandwidth(BenchResult result) {
        return result.generatedTokens() == 0
                ? OptionalDouble.empty()
                : OptionalDouble.of(bytesPerToken * result.meanTokensPerSecond());
    }

    /**
     * Integer multiply-adds a second that a test of a prompt came to; none for generating, and for a model whose weights are all
     * floats. Attention is not counted, nor what is not computed: of the last block's feed-forward part and of the output the
     * last token's alone is.
     */
    public OptionalDouble multiplyAdds(BenchResult result) {
        long products = result.promptTokens() == 0 ? 0 : multiplyAdds.ofPrompt(result.promptTokens());
        return products == 0
                ? OptionalDouble.empty()
                : OptionalDouble.of(products * result.meanTokensPerSecond() / result.promptTokens());
    }

    /** The share of what bounds a test that it came to: of the bandwidth, or of the multiply-adds; none if not measured. */
    public OptionalDouble share(BenchResult result) {
        OptionalDouble read = bandwidth(result);
        if (read.isPresent()) {
            return OptionalDouble.of(read.getAsDouble() / readBandwidth);
        }
        OptionalDouble products = multiplyAdds(result);
        return products.isPresent() && peakMultiplyAdds.isPresent()
                ? OptionalDouble.of(products.getAsDouble() / peakMultiplyAdds.getAsDouble())
                : OptionalDouble.empty();
    }

    /** Memory that the kernels of a result had for the context; none for llama.cpp's, which do not tell. */
    public OptionalLong scratchBytes(BenchResult result) {
        Long bytes = scratchBytes.get(result.kernels());
        return bytes == null ? OptionalLong.empty() : OptionalLong.of(bytes);
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
