package org.panallama;

import java.util.Arrays;

/**
 * The tokens that sequence 0 of a context remembers, as far as its generations know them, so that the next prompt computes only
 * what is new. Whatever changes the memory past the generations makes it forget.
 */
final class TokenHistory {

    private int[] tokens = new int[64];
    private int size;

    int size() {
        return size;
    }

    void append(int token) {
        if (size == tokens.length) {
            tokens = Arrays.copyOf(tokens, size * 2);
        }
        tokens[size++] = token;
    }

    void append(int[] more, int from, int to) {
        for (int i = from; i < to; i++) {
            append(more[i]);
        }
    }

    /** The length of the beginning that it has in common with a prompt. */
    int commonPrefix(int[] prompt) {
        int mismatch = Arrays.mismatch(tokens, 0, size, prompt, 0, prompt.length);
        return mismatch < 0 ? size : mismatch;
    }

    void truncate(int length) {
        size = Math.min(size, length);
    }

    /** Drops the tokens {@code from} to {@code to} - 1. */
    void cut(int from, int to) {
        System.arraycopy(tokens, to, tokens, from, size - to);
        size -= to - from;
    }

    int[] toArray() {
        return Arrays.copyOf(tokens, size);
    }

    void forget() {
        size = 0;
    }
}
