package org.panallama.tiny;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;

/**
 * The folders that may hold unpacked files, best first. Panallama's core looks at the same places; this module depends on
 * nothing, so it says them again.
 */
final class CacheFolders {

    private CacheFolders() {}

    static List<Path> candidates() {
        return candidates(System::getProperty, System::getenv);
    }

    static List<Path> candidates(UnaryOperator<String> properties, UnaryOperator<String> environment) {
        List<Path> folders = new ArrayList<>();
        String chosen = properties.apply("panallama.cache.dir");
        if (isBlank(chosen)) {
            chosen = environment.apply("PANALLAMA_CACHE_DIR");
        }
        folders.add(isBlank(chosen) ? ofPlatform(properties, environment) : Path.of(chosen));
        folders.add(Path.of(properties.apply("java.io.tmpdir"), "panallama-" + properties.apply("user.name")));
        return folders;
    }

    private static Path ofPlatform(UnaryOperator<String> properties, UnaryOperator<String> environment) {
        String os = properties.apply("os.name").toLowerCase(Locale.ROOT);
        Path home = Path.of(properties.apply("user.home"));
        if (os.startsWith("windows")) {
            String local = environment.apply("LOCALAPPDATA");
            Path base = isBlank(local) ? home.resolve("AppData").resolve("Local") : Path.of(local);
            return base.resolve("panallama");
        }
        if (os.startsWith("mac")) {
            return home.resolve("Library").resolve("Caches").resolve("panallama");
        }
        String xdg = environment.apply("XDG_CACHE_HOME");
        // The XDG specification has relative paths ignored.
        boolean usable = !isBlank(xdg) && Path.of(xdg).isAbsolute();
        return (usable ? Path.of(xdg) : home.resolve(".cache")).resolve("panallama");
    }

    private static boolean isBlank(String value) {
        return value == null || value.isBlank();
    }
}
