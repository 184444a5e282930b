package org.panallama.gguf;

import java.io.IOException;
import java.io.Serial;
import java.nio.file.Path;

/** A file is not the GGUF it should be; says which file, what is wrong with it, and at which byte. */
public final class GgufException extends IOException {

    @Serial
    private static final long serialVersionUID = 1;

    private final String file;
    private final long offset;
    private final String problem;

    /**
     * Creates the exception.
     *
     * @param file which file
     * @param offset where in it, in bytes from its start
     * @param problem what is wrong, with the names and values concerned
     */
    public GgufException(Path file, long offset, String problem) {
        super(file + ": " + problem + " (at byte " + offset + ")");
        this.file = file.toString();
        this.offset = offset;
        this.problem = problem;
    }

    /** Returns the file. */
    public Path file() {
        return Path.of(file);
    }

    /** Returns where in the file the problem is, in bytes from its start. */
    public long offset() {
        return offset;
    }

    /** Returns what is wrong, without file and offset. */
    public String problem() {
        return problem;
    }
}
