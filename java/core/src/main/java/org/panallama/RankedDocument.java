package org.panallama;

/**
 * A document and how well it answers a query.
 *
 * @param index its place in the list that was given
 * @param text the document
 * @param score the model's score; higher is better, the range is the model's own
 */
public record RankedDocument(int index, String text, float score) {}
