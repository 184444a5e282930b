package org.panallama.tools;

import java.util.List;

/**
 * How long a test took with some kernels. A test computes either a prompt at once, or tokens one after the other.
 *
 * @param kernels whose kernels
 * @param cpuVariant llama.cpp's name of the CPU variant that computed
 * @param promptTokens tokens of the prompt; 0 in a test of generation
 * @param generatedTokens tokens computed one by one; 0 in a test of a prompt
 * @param nanos what each repetition took
 */
public record BenchResult(Kernels kernels, String cpuVariant, int promptTokens, int generatedTokens, List<Long> nanos) {

    /** Copies the list. */
    public BenchResult {
        nanos = List.copyOf(nanos);
    }

    /** The name that llama-bench gives it: {@code pp512}, {@code tg64}. */
    public String test() {
        return promptTokens > 0 ? "pp" + promptTokens : "tg" + generatedTokens;
    }

    /** Tokens per second of each repetition. */
    public List<Double> tokensPerSecond() {
        int tokens = promptTokens + generatedTokens;
        return nanos.stream().map(time -> tokens * 1e9 / time).toList();
    }

    /** The mean of the tokens per second. */
    public double meanTokensPerSecond() {
        return mean(tokensPerSecond());
    }

    /** The standard deviation of the tokens per second; 0 for a single repetition. */
    public double deviationOfTokensPerSecond() {
        return deviation(tokensPerSecond());
    }

    /** The mean time of a repetition. */
    public double meanNanos() {
        return mean(nanos);
    }

    /** The standard deviation of the time of a repetition; 0 for a single one. */
    public double deviationOfNanos() {
        return deviation(nanos);
    }

    private static double mean(List<? extends Number> values) {
        return values.stream().mapToDouble(Number::doubleValue).average().orElse(0);
    }

    private static double deviation(List<? extends Number> values) {
        double mean = mean(values);
        double squares = values.stream()
                .mapToDouble(value -> Math.pow(value.doubleValue() - mean, 2))
                .sum();
        return values.size() < 2 ? 0 : Math.sqrt(squares / (values.size() - 1));
    }
}
