package org.panallama.engine;

import java.util.List;
import org.panallama.TokenLogprob;

/**
 * A piece of an answer: it never splits a character and never holds a part of a stop string.
 *
 * @param text may be empty in a request with log-probabilities, whose tokens come one by one
 * @param logprobs of the tokens that came with it; empty unless asked for
 */
public record Piece(String text, List<TokenLogprob> logprobs) {}
