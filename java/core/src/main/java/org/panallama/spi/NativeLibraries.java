package org.panallama.spi;

import java.nio.file.Path;
import java.util.List;

/**
 * The llama.cpp runtime on this machine's disk.
 *
 * @param directory holds the libraries and every backend
 * @param loadOrder the libraries to load, each after the ones it needs
 * @param llamaVersion llama.cpp's release, for example {@code v0.4.0}, or {@code unknown} for a directory of the user's
 * @param source where they come from, in words for a log line or an error
 */
public record NativeLibraries(Path directory, List<Path> loadOrder, String llamaVersion, String source) {

    public NativeLibraries {
        loadOrder = List.copyOf(loadOrder);
    }

    /**
     * What a binding that has llama.cpp loaded says to these: nothing if they are the same, since it loads once.
     *
     * @throws IllegalStateException if they are others
     */
    public void checkSameAs(Path loaded) {
        if (!loaded.equals(directory)) {
            throw new IllegalStateException("llama.cpp is already loaded from " + loaded
                    + ", and cannot be loaded from " + directory + " as well");
        }
    }

    /**
     * For a binding that found functions missing.
     *
     * @param count of them
     * @param example one of them
     */
    public UnsatisfiedLinkError lacks(int count, String example) {
        return new UnsatisfiedLinkError("llama.cpp " + llamaVersion + " from " + source + " (" + directory + ") lacks "
                + count + " functions, such as " + example
                + ": it is not the release that this version of Panallama was made for");
    }
}
