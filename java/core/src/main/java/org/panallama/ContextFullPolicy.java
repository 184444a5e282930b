package org.panallama;

/** What happens when there is no room for the next token. */
public enum ContextFullPolicy {
    /** A {@link ContextFullException} is thrown. */
    FAIL,
    /** The text ends there, with {@link FinishReason#CONTEXT_FULL}. */
    STOP,
    /**
     * The older half of what the context remembers, but for the tokens to keep, is dropped and the rest moves up. The text goes
     * on for ever; the model no longer knows what was dropped.
     */
    SHIFT
}
