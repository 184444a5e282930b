package org.panallama;

import java.nio.file.Path;

/** A model file cannot be loaded: it is missing, not a GGUF file, damaged, of an unknown kind, or too large. */
public class ModelLoadException extends LlamaException {
    private static final long serialVersionUID = 1L;

    private final String file;

    /**
     * Creates an exception about a file.
     *
     * @param file the file that cannot be loaded
     * @param problem what is wrong with it and what to do; the file's name is put in front
     */
    public ModelLoadException(Path file, String problem) {
        super(printable(file) + ": " + problem);
        this.file = file.toString();
    }

    /**
     * Creates an exception about a file, with a cause.
     *
     * @param file the file that cannot be loaded
     * @param problem what is wrong with it and what to do; the file's name is put in front
     * @param cause the failure underneath
     */
    public ModelLoadException(Path file, String problem, Throwable cause) {
        super(printable(file) + ": " + problem, cause);
        this.file = file.toString();
    }

    /**
     * Returns the file that cannot be loaded; of a split model, the part that is at fault.
     *
     * @return the file
     */
    public Path file() {
        return Path.of(file);
    }

    private static String printable(Path file) {
        return file.toString().replaceAll("\\p{Cntrl}", "?");
    }
}
