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
}
