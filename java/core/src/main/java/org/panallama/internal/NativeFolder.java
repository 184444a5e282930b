package org.panallama.internal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.panallama.spi.NativeLibraries;

/** A folder of libraries that the user names, with llama.cpp as a release or a build of their own lays it out. */
final class NativeFolder {

    private static final Pattern RELEASE = Pattern.compile("llama\\.(?:[a-z]+\\.)?(v[0-9][0-9.]*[0-9])\\.");

    /** What is loaded, also under the names that symbolic links lead to. */
    private static final Pattern LOADED =
            Pattern.compile("(?:lib)?(?:ggml|llama|panallama)\\b.*\\.(?:dll|dylib|so)(?:\\.[0-9]+)*");

    private NativeFolder() {}

    /**
     * @param setting how it was named, for messages
     * @throws NativeLookupException if it holds not all that is needed, or what cannot be loaded
     */
    static NativeLibraries open(Path folder, Platform platform, String setting) {
        if (!Files.isDirectory(folder)) {
            throw new NativeLookupException(setting + " is not a folder: " + folder.toAbsolutePath()
                    + ". Name the folder that holds " + file(platform, "llama") + ".");
        }
        List<String> names;
        try (Stream<Path> files = Files.list(folder)) {
            names = files.map(file -> file.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new NativeLookupException(setting + " cannot be read: " + e);
        }
        List<Path> loadOrder = new ArrayList<>();
        for (String library : List.of("ggml-base", "ggml", "llama")) {
            loadOrder.add(folder.resolve(library(names, library, folder, platform, setting)));
        }
        String backend = platform.libraryPrefix() + "ggml-cpu";
        if (names.stream().noneMatch(name -> name.startsWith(backend) && platform.isLibrary(name))) {
            throw new NativeLookupException(
                    setting + " holds no CPU backend (" + backend + "*" + platform.librarySuffix() + "): "
                            + folder.toAbsolutePath() + ". It belongs beside the other libraries.");
        }
        // llama.cpp opens backends by itself, so those are looked through as well.
        names.stream()
                .filter(name -> LOADED.matcher(name).matches())
                .forEach(name -> LibraryFile.check(folder.resolve(name), platform.architecture()));
        Matcher release = RELEASE.matcher(loadOrder.get(2).getFileName().toString());
        return new NativeLibraries(
                folder.toAbsolutePath(),
                loadOrder.stream().map(Path::toAbsolutePath).toList(),
                release.find() ? release.group(1) : "unknown",
                setting);
    }

    /** Releases put their version into the name, as in {@code libllama.v0.4.0.so}; own builds mostly do not. */
    private static String library(List<String> names, String library, Path folder, Platform platform, String setting) {
        String plain = file(platform, library);
        if (names.contains(plain)) {
            return plain;
        }
        Pattern versioned = Pattern.compile(
                Pattern.quote(platform.libraryPrefix() + library) + "\\..+" + Pattern.quote(platform.librarySuffix()));
        List<String> found =
                names.stream().filter(name -> versioned.matcher(name).matches()).toList();
        if (found.isEmpty()) {
            throw new NativeLookupException(setting + " holds no " + plain + ": " + folder.toAbsolutePath()
                    + ". It needs llama, ggml, ggml-base and the CPU backends, built as shared libraries.");
        }
        if (found.size() > 1) {
            throw new NativeLookupException(setting + " holds several releases: " + String.join(", ", found) + " in "
                    + folder.toAbsolutePath() + ". Leave one.");
        }
        return found.get(0);
    }

    private static String file(Platform platform, String library) {
        return platform.libraryPrefix() + library + platform.librarySuffix();
    }
}
