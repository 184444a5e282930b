package org.panallama;

import org.jspecify.annotations.Nullable;

/** The native libraries or a binding to them could not be loaded. The message lists every place tried and the way out. */
public final class LlamaUnavailableException extends LlamaException {

    private static final long serialVersionUID = 1L;

    public LlamaUnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
