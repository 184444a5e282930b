package org.panallama.tools.convert;

import org.jspecify.annotations.Nullable;
import org.panallama.LlamaException;

/** A checkpoint cannot be converted: of an unknown architecture, incomplete, or inconsistent. */
public final class ConversionException extends LlamaException {
    private static final long serialVersionUID = 1L;

    ConversionException(String problem) {
        this(problem, null);
    }

    ConversionException(String problem, @Nullable Throwable cause) {
        super(problem.replaceAll("[\\p{Cntrl}&&[^\n]]", "?"), cause);
    }
}
