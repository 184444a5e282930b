package org.panallama.internal;

import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The folders that may hold unpacked files.
 *
 * @param preferred the one that the user chose, or the platform's own
 * @param fallback in the temporary folder, which other users may write to as well
 */
record CacheFolders(Path preferred, Path fallback) {

    static CacheFolders of(
            Function<String, @Nullable String> properties, Function<String, @Nullable String> environment) {
        String chosen = properties.apply("panallama.cache.dir");
        if (isBlank(chosen)) {
            chosen = environment.apply("PANALLAMA_CACHE_DIR");
        }
        return new CacheFolders(
                chosen == null || chosen.isBlank() ? ofPlatform(properties, environment) : Path.of(chosen),
                Path.of(
                        String.valueOf(properties.apply("java.io.tmpdir")),
                        "panallama-" + properties.apply("user.name")));
    }

    private static Path ofPlatform(
            Function<String, @Nullable String> properties, Function<String, @Nullable String> environment) {
        String os = String.valueOf(properties.apply("os.name")).toLowerCase(Locale.ROOT);
        Path home = Path.of(String.valueOf(properties.apply("user.home")));
        if (os.startsWith("windows")) {
            String local = environment.apply("LOCALAPPDATA");
            Path base =
                    local == null || local.isBlank() ? home.resolve("AppData").resolve("Local") : Path.of(local);
            return base.resolve("panallama");
        }
        if (os.startsWith("mac")) {
            return home.resolve("Library").resolve("Caches").resolve("panallama");
        }
        String xdg = environment.apply("XDG_CACHE_HOME");
        // The XDG specification has relative paths ignored.
        boolean usable = xdg != null && Path.of(xdg).isAbsolute();
        return (usable ? Path.of(xdg) : home.resolve(".cache")).resolve("panallama");
    }

    private static boolean isBlank(@Nullable String value) {
        return value == null || value.isBlank();
    }
}
