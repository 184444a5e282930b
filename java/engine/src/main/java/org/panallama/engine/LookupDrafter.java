package org.panallama.engine;

import java.util.Arrays;
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
        int[] all = tokens.toArray();
        for (int length = Math.min(LONGEST, all.length - 1); length >= SHORTEST; length--) {
            int suffix = all.length - length;
            for (int start = suffix - 1; start >= 0; start--) {
                if (matches(all, start, suffix, length)) {
                    int from = start + length;
                    int count = Math.min(Math.min(most, room), all.length - from);
                    return Arrays.copyOfRange(all, from, from + count);
                }
            }
        }
        return NOTHING;
    }

    private static boolean matches(int[] tokens, int start, int suffix, int length) {
        for (int i = 0; i < length; i++) {
            if (tokens[start + i] != tokens[suffix + i]) {
                return false;
            }
        }
        return true;
    }
}
