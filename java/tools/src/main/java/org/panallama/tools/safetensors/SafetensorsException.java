package org.panallama.tools.safetensors;

import java.nio.file.Path;
import org.panallama.LlamaException;

/** A safetensors file or index is missing, damaged, or lacks what was asked of it. */
public final class SafetensorsException extends LlamaException {
    private static final long serialVersionUID = 1L;

    private final String file;

    SafetensorsException(Path file, String problem) {
        super(message(file, problem));
        this.file = file.toString();
    }

    SafetensorsException(Path file, String problem, Throwable cause) {
        super(message(file, problem), cause);
        this.file = file.toString();
    }

    /** The file or folder at fault. */
    public Path file() {
        return Path.of(file);
    }

    /** Names of tensors come from the file, and a message goes to a terminal. */
    private static String message(Path file, String problem) {
        return (file + ": " + problem).replaceAll("\\p{Cntrl}", "?");
    }
}
