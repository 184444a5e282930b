package org.panallama.tools.perplexity;

/**
 * A mean of many values.
 *
 * @param value the mean
 * @param error its standard error; 0 where there are too few values to tell
 */
public record Estimate(double value, double error) {}
