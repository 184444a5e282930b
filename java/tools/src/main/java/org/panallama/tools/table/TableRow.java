package org.panallama.tools.table;

import org.panallama.tools.perplexity.Estimate;

/**
 * A file type of a model.
 *
 * @param type its name
 * @param fileBytes size of the file
 * @param bitsPerWeight bits of the tensors for each weight
 * @param perplexity of the text
 * @param logPerplexityRatio logarithm of it over that of the model that was quantized; the error knows that both saw the same
 *     tokens
 * @param divergence mean Kullback-Leibler divergence from the model that was quantized, in nats
 * @param sameTop share of tokens where both find the same one likeliest
 * @param promptSpeed tokens of a prompt per second
 * @param decodeSpeed tokens per second, computed one by one
 */
public record TableRow(
        String type,
        long fileBytes,
        double bitsPerWeight,
        Estimate perplexity,
        Estimate logPerplexityRatio,
        Estimate divergence,
        Estimate sameTop,
        double promptSpeed,
        double decodeSpeed) {}
