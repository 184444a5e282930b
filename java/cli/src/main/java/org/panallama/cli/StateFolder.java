package org.panallama.cli;

import java.nio.file.Path;
import java.util.Locale;

/** Where the program keeps what should outlive it, but is not worth a backup. */
final class StateFolder {

    private StateFolder() {}

    /** The platform's folder for a program's state; it need not be there. */
    static Path path() {
        Path home = Path.of(System.getProperty("user.home"));
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        if (system.contains("windows")) {
            return fromEnvironment("LOCALAPPDATA", home.resolve("AppData/Local"))
                    .resolve("panallama");
        }
        if (system.contains("mac")) {
            return home.resolve("Library/Application Support/panallama");
        }
        return fromEnvironment("XDG_STATE_HOME", home.resolve(".local/state")).resolve("panallama");
    }

    private static Path fromEnvironment(String name, Path otherwise) {
        String value = System.getenv(name);
        // The XDG specification has relative paths ignored.
        return value == null || !Path.of(value).isAbsolute() ? otherwise : Path.of(value);
    }
}
