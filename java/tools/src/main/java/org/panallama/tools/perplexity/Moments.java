package org.panallama.tools.perplexity;

/** Sums over values, for their mean and its standard error. */
final class Moments {

    private long count;
    private double sum;
    private double squares;

    void add(double value) {
        count++;
        sum += value;
        squares += value * value;
    }

    long count() {
        return count;
    }

    double mean() {
        return sum / count;
    }

    Estimate estimate() {
        double variance = squares / count - mean() * mean();
        return new Estimate(mean(), variance > 0 ? Math.sqrt(variance / (count - 1)) : 0);
    }
}
