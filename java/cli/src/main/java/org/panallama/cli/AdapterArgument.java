package org.panallama.cli;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** An adapter of {@code --lora}: its path and, behind a colon, how strong it is; 1 if that is not said. */
record AdapterArgument(Path path, float weight) {

    /** A path may have a colon in it, and begins with a drive and one on Windows. */
    static AdapterArgument of(String text) {
        try {
            int colon = text.lastIndexOf(':');
            if (colon < 0 || exists(text)) {
                return new AdapterArgument(Path.of(text), 1);
            }
            return new AdapterArgument(Path.of(text.substring(0, colon)), weight(text.substring(colon + 1)));
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("--lora: '" + text + "' is no path", e);
        }
    }

    private static boolean exists(String text) {
        try {
            return Files.exists(Path.of(text));
        } catch (InvalidPathException e) {
            return false; // the colon of the weight, on Windows
        }
    }

    private static float weight(String text) {
        try {
            return Float.parseFloat(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("--lora: the weight '" + text + "' is not a number", e);
        }
    }
}
