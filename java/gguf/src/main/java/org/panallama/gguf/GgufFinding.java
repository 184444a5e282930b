package org.panallama.gguf;

import java.util.Locale;

/**
 * Something wrong with a GGUF file.
 *
 * @param severity how bad it is
 * @param offset where in the file, in bytes from its start
 * @param message what it is, with the names and values concerned
 */
public record GgufFinding(Severity severity, long offset, String message) {

    /** How bad a finding is. */
    public enum Severity {
        /** The file breaks the specification or is incomplete; {@link GgufFile#open} refuses it. */
        DAMAGE,
        /** A legal file, which llama.cpp v0.4.0 nevertheless refuses. */
        UNLOADABLE,
        /** Works, but is rarely meant. */
        SUSPICIOUS
    }

    /** Returns one line: severity, offset and message. */
    @Override
    public String toString() {
        return severity.name().toLowerCase(Locale.ROOT) + " at byte " + offset + ": " + message;
    }
}
