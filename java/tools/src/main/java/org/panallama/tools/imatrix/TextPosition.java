package org.panallama.tools.imatrix;

/**
 * How far into its text an importance matrix got.
 *
 * @param digest tells the text's tokens and the length of a chunk from others: SHA-256 in hexadecimal
 * @param nextChunk the first chunk that is not in the matrix
 */
public record TextPosition(String digest, int nextChunk) {}
