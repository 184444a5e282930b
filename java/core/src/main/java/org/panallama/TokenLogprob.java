package org.panallama;

import java.util.List;

/**
 * A token with its log-probability, by the model alone: before temperature, penalties and filters.
 *
 * @param token its id
 * @param piece its text; may be a part of a character
 * @param logprob natural logarithm of its probability
 * @param top the likeliest tokens at its place, the likeliest first; empty in those
 */
public record TokenLogprob(int token, String piece, double logprob, List<TokenLogprob> top) {

    public TokenLogprob {
        top = List.copyOf(top);
    }
}
