package org.panallama.internal;

/** llama.cpp's libraries cannot be had on this machine. The message lists every place tried, and the way out. */
public final class NativeLookupException extends RuntimeException {

    private static final long serialVersionUID = 1;

    NativeLookupException(String message) {
        super(message);
    }
}
