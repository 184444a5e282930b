package org.panallama.kernels;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/** How far a model's predictions are from those that it should make. */
final class Divergence {
    private final List<Double> perToken = new ArrayList<>();
    private int agreeing;
    private double loss;
    private double expectedLoss;

    void add(Prediction expected, Prediction actual) {
        float[] p = expected.logProbabilities();
        float[] q = actual.logProbabilities();
        double divergence = 0;
        for (int i = 0; i < p.length; i++) {
            divergence += Math.exp(p[i]) * (p[i] - q[i]);
        }
        perToken.add(divergence);
        agreeing += expected.mostLikely() == actual.mostLikely() ? 1 : 0;
        expectedLoss -= p[expected.token()];
        loss -= q[actual.token()];
    }

    /** The Kullback-Leibler divergence from the expected to the actual prediction, in nats, on average. */
    double mean() {
        return perToken.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }

    /** That of the middle token: unlike the average, it does not depend on the few tokens that differ most. */
    double median() {
        return perToken.stream().sorted().toList().get(perToken.size() / 2);
    }

    /** The share of tokens where both think the same token likeliest. */
    double agreement() {
        return (double) agreeing / perToken.size();
    }

    double expectedPerplexity() {
        return Math.exp(expectedLoss / perToken.size());
    }

    double perplexity() {
        return Math.exp(loss / perToken.size());
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "KL median %.1e, mean %.1e, max %.1e; same likeliest token %.2f %%; perplexity %.4f, expected %.4f; %d tokens",
                median(),
                mean(),
                Collections.max(perToken),
                100 * agreement(),
                perplexity(),
                expectedPerplexity(),
                perToken.size());
    }
}
