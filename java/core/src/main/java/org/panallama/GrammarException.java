package org.panallama;

/** A grammar is malformed, or leaves no token to go on with. */
public final class GrammarException extends LlamaException {

    private static final long serialVersionUID = 1L;

    public GrammarException(String message) {
        super(message);
    }
}
