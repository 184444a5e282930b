package org.panallama;

/** llama.cpp opens no context, though nothing is wrong with what was asked for. */
final class ContextRefusedException extends LlamaException {
    private static final long serialVersionUID = 1L;

    ContextRefusedException(String message) {
        super(message);
    }
}
