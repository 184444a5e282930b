package org.panallama.tools.perplexity;

import org.panallama.LlamaException;
import org.panallama.Vocab;

/**
 * The stretches of a text that are computed, each from an empty context, and the positions in them whose logits count.
 *
 * @param tokens the text
 * @param count of windows
 * @param length tokens of each
 * @param step tokens from the beginning of one to the next
 * @param firstScored first position whose prediction of the next token counts; the last one is {@code length - 2}
 * @param bos token in place of each window's first, or {@link Vocab#NO_TOKEN} to leave that
 */
record Windows(int[] tokens, int count, int length, int step, int firstScored, int bos) {

    /** llama.cpp's plain form: one after the other, of each the second half. */
    static Windows plain(Vocab vocab, int[] tokens, int length, int most) {
        require(tokens, length, length);
        int count = Math.min(most, tokens.length / length);
        return new Windows(tokens, count, length, length, length / 2, vocab.addsBos() ? vocab.bos() : Vocab.NO_TOKEN);
    }

    /**
     * llama.cpp's strided form: overlapping windows of {@code length + stride / 2} tokens, of each the last {@code stride}.
     * They keep their own first token there, although only the text's first one is BOS.
     */
    static Windows strided(int[] tokens, int length, int stride, int most) {
        int whole = length + stride / 2;
        require(tokens, whole + 1, length);
        int count = Math.min(most, (tokens.length - whole + stride - 1) / stride);
        return new Windows(tokens, count, whole, stride, whole - stride - 1, Vocab.NO_TOKEN);
    }

    private static void require(int[] tokens, int least, int length) {
        if (tokens.length < least) {
            throw new LlamaException(
                    "the text has " + tokens.length + " tokens, too few for the perplexity at a context of " + length
                            + ": give at least " + least + ", or a shorter context");
        }
    }

    int token(int window, int position) {
        return position == 0 && bos != Vocab.NO_TOKEN ? bos : next(window, position - 1);
    }

    /** The token that comes after a position. */
    int next(int window, int position) {
        return tokens[window * step + position + 1];
    }

    boolean isScored(int position) {
        return position >= firstScored && position < length - 1;
    }

    int scoredPerWindow() {
        return length - 1 - firstScored;
    }

    int scored() {
        return Math.multiplyExact(count, scoredPerWindow());
    }
}
