package org.panallama.engine;

import org.panallama.internal.TokenHistory;

/**
 * Guesses that what followed the last few tokens when they came up before follows again (prompt lookup decoding, Saxena 2023):
 * good where an answer repeats its prompt, as summaries and edits do.
 */
final class LookupDrafter implements Drafter {

    private static final int[] NOTHING = {};
    private static final int LONGEST = 4;
    private static final int SHORTEST = 2;

    private final int most;

    LookupDrafter(int most) {
        this.most = most;
    }

    @Override
    public int[] draft(int slot, TokenHistory tokens, int room) {
        int size = tokens.size();
        for (int length = Math.min(LONGEST, size - 1); length >= SHORTEST; length--) {
            int suffix = size - length;
            for (int start = suffix - 1; start >= 0; start--) {
                if (matches(tokens, start, suffix, length)) {
                    int from = start + length;
                    int count = Math.min(Math.min(most, room), size - from);
                    return tokens.toArray(from, from + count);
                }
            }
        }
        return NOTHING;
    }

    private static boolean matches(TokenHistory tokens, int start, int suffix, int length) {
        for (int i = 0; i < length; i++) {
            if (tokens.get(start + i) != tokens.get(suffix + i)) {
                return false;
            }
        }
        return true;
    }
}
