package org.panallama;

/**
 * Tokens that a generation took.
 *
 * @param promptTokens length of the prompt
 * @param reusedTokens how many of those the context still remembered, and were not computed again
 * @param generatedTokens tokens generated, with the one that ended the text
 */
public record Usage(int promptTokens, int reusedTokens, int generatedTokens) {}
