package org.panallama.internal;

import java.util.Arrays;
import java.util.Objects;

/**
 * A text of tokens that grows and is cut at its end: what a sequence of a context remembers, so that the next prompt computes only
 * what is new. Not thread-safe.
 */
public final class TokenHistory {

    private int[] tokens = new int[64];
    private int size;

    public int size() {
        return size;
    }

    public void append(int token) {
        if (size == tokens.length) {
            tokens = Arrays.copyOf(tokens, size * 2);
        }
        tokens[size++] = token;
    }

    public void append(int[] more, int from, int to) {
        for (int i = from; i < to; i++) {
            append(more[i]);
        }
    }

    /** Appends the tokens {@code from} to {@code to} - 1 of another one. */
    public void append(TokenHistory other, int from, int to) {
        Objects.checkFromToIndex(from, to, other.size);
        append(other.tokens, from, to);
    }

    public int get(int index) {
        return tokens[Objects.checkIndex(index, size)];
    }

    /** The length of the beginning that it has in common with a prompt. */
    public int commonPrefix(int[] prompt) {
        int mismatch = Arrays.mismatch(tokens, 0, size, prompt, 0, prompt.length);
        return mismatch < 0 ? size : mismatch;
    }

    /** The same with another one. */
    public int commonPrefix(TokenHistory other) {
        int mismatch = Arrays.mismatch(tokens, 0, size, other.tokens, 0, other.size);
        return mismatch < 0 ? size : mismatch;
    }

    public void truncate(int length) {
        size = Math.min(size, length);
    }

    /** Drops the tokens {@code from} to {@code to} - 1. */
    public void cut(int from, int to) {
        System.arraycopy(tokens, to, tokens, from, size - to);
        size -= to - from;
    }

    public int[] toArray() {
        return toArray(0, size);
    }

    /** The tokens {@code from} to {@code to} - 1. */
    public int[] toArray(int from, int to) {
        Objects.checkFromToIndex(from, to, size);
        return Arrays.copyOfRange(tokens, from, to);
    }

    public void forget() {
        size = 0;
    }
}
