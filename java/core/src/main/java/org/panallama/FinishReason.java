package org.panallama;

/** Why a generation ended. */
public enum FinishReason {
    /** The model ended its answer. */
    END_OF_GENERATION,
    /** One of the stop strings came up. */
    STOP_STRING,
    /** As many tokens as allowed were generated. */
    MAX_TOKENS,
    /** The context had no room left. */
    CONTEXT_FULL,
    /** The time that a request was given had passed. */
    DEADLINE,
    /** {@link Generation#cancel()} or {@link Context#cancel()} was called. */
    CANCELLED
}
