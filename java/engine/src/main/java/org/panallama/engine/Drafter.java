package org.panallama.engine;

import org.panallama.internal.TokenHistory;

/** Guesses how an answer goes on, so that several tokens are checked at once. Guesses cost time, never exactness. */
interface Drafter extends AutoCloseable {

    /**
     * @param slot the place of the request, from 0
     * @param tokens prompt and answer so far
     * @param most guesses that can be used
     * @return the guesses, none where there is no good one
     */
    int[] draft(int slot, TokenHistory tokens, int most);

    /** Frees what it computes with. */
    @Override
    default void close() {}
}
