package org.panallama;

/** The native libraries or a binding to them could not be loaded. The message lists every place tried and the way out. */
public final class LlamaUnavailableException extends LlamaException {

    private static final long serialVersionUID = 1L;

    public LlamaUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
