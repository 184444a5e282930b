package org.panallama;

import org.jspecify.annotations.Nullable;

/**
 * The root of everything Panallama throws when an operation fails for a reason that lies outside the calling code: a
 * damaged file, memory that ran out, a refused request. Misuse of the API throws the JDK's own exceptions instead
 * ({@link IllegalArgumentException}, {@link IllegalStateException}).
 *
 * <p>The message says what failed, names the file or value, and says what to do.
 */
public class LlamaException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * Creates an exception.
     *
     * @param message what failed and what to do about it
     */
    public LlamaException(String message) {
        super(message);
    }

    /**
     * Creates an exception with a cause.
     *
     * @param message what failed and what to do about it
     * @param cause the failure underneath
     */
    public LlamaException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
