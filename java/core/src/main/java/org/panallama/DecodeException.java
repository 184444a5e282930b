package org.panallama;

/** A batch could not be computed. What it leaves in the context's memory is what {@link Context#memory()} then says. */
public final class DecodeException extends LlamaException {

    private static final long serialVersionUID = 1L;
    private final int status;

    DecodeException(String message, int status) {
        super(message);
        this.status = status;
    }

    /** What llama.cpp returned: 1 for no free place in the KV cache, negative for a failure. */
    public int status() {
        return status;
    }
}
