package org.panallama.server;

/** There is nobody left to answer. */
final class ClientGoneException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    ClientGoneException(String message, Throwable cause) {
        super(message, cause);
    }

    ClientGoneException() {
        super("the client closed the connection");
    }
}
