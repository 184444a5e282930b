package org.panallama.tools.perplexity;

import java.util.Arrays;

/** How values are distributed, by their quantiles. Immutable. */
public final class Spread {

    private final double[] sorted;

    Spread(double[] values) {
        sorted = values.clone();
        Arrays.sort(sorted);
    }

    /** The smallest value. */
    public double min() {
        return quantile(0);
    }

    /** The value in the middle. */
    public double median() {
        return quantile(0.5);
    }

    /** The largest value. */
    public double max() {
        return quantile(1);
    }

    /**
     * The value that a share of all values does not exceed, interpolated between neighbours; NaN if there are no values.
     *
     * @param share from 0 to 1
     * @throws IllegalArgumentException if it is not
     */
    public double quantile(double share) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("share is " + share + ", must be from 0 to 1");
        }
        if (sorted.length == 0) {
            return Double.NaN;
        }
        double place = share * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }
}
