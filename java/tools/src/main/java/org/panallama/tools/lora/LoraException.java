package org.panallama.tools.lora;

import org.jspecify.annotations.Nullable;
import org.panallama.LlamaException;

/** An adapter is damaged, of a kind that cannot be handled, or does not fit its base. */
public final class LoraException extends LlamaException {
    private static final long serialVersionUID = 1L;

    LoraException(String problem) {
        this(problem, null);
    }

    /** Names of tensors come from the file, and a message goes to a terminal. */
    LoraException(String problem, @Nullable Throwable cause) {
        super(problem.replaceAll("[\\p{Cntrl}&&[^\n]]", "?"), cause);
    }
}
