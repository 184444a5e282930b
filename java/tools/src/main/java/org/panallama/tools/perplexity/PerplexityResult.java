package org.panallama.tools.perplexity;

/**
 * How well a model predicted a text.
 *
 * @param contextLength tokens that the model saw at most
 * @param stride tokens from one window to the next in the strided form, 0 in the plain one
 * @param windows windows of the text that were computed
 * @param tokens tokens that were predicted
 * @param meanNll negative log-likelihood of a token, in nats
 */
public record PerplexityResult(int contextLength, int stride, int windows, long tokens, Estimate meanNll) {

    /** The exponential of the mean negative log-likelihood, with the error as llama.cpp states it. */
    public Estimate perplexity() {
        double value = Math.exp(meanNll.value());
        return new Estimate(value, value * meanNll.error());
    }
}
