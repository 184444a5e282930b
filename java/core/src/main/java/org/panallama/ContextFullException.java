package org.panallama;

/** Text is longer than what is left of the context. */
public final class ContextFullException extends LlamaException {

    private static final long serialVersionUID = 1L;

    /** @param message what does not fit, and the way out */
    public ContextFullException(String message) {
        super(message);
    }
}
