package org.panallama;

/**
 * A candidate for the next token.
 *
 * @param token its id
 * @param logit its logit after the samplers that were applied
 * @param probability its share of all candidates, from 0 to 1
 */
public record TokenProbability(int token, float logit, float probability) {}
