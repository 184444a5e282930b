package org.panallama.tools.perplexity;

/**
 * How far a model's predictions are from those of another one, the base: the figures of {@code llama-perplexity
 * --kl-divergence}. Divergences are in nats, probabilities from 0 to 1.
 *
 * @param result of the model
 * @param basePerplexity of the base on the same tokens
 * @param perplexityRatio the model's perplexity over the base's; the error knows that both saw the same tokens
 * @param correlation between the negative log-likelihoods of both
 * @param divergence mean Kullback-Leibler divergence of the model's distribution from the base's
 * @param divergences how they spread over the tokens
 * @param probabilityChange mean change of the probability of the token that came, model less base
 * @param rmsProbabilityChange root of the mean square of that change
 * @param probabilityChanges how they spread over the tokens
 * @param sameTop share of tokens where both find the same one likeliest
 */
public record KlDivergence(
        PerplexityResult result,
        Estimate basePerplexity,
        Estimate perplexityRatio,
        double correlation,
        Estimate divergence,
        Spread divergences,
        Estimate probabilityChange,
        Estimate rmsProbabilityChange,
        Spread probabilityChanges,
        Estimate sameTop) {

    /** The logarithm of the ratio, which is the mean of what each token lost in log-likelihood. */
    public Estimate logPerplexityRatio() {
        return new Estimate(Math.log(perplexityRatio.value()), perplexityRatio.error() / perplexityRatio.value());
    }
}
