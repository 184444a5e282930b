package org.panallama.internal;

import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A new filesystem in memory, mounted on a folder until this is closed. That takes root's rights. */
public final class MemoryMount implements AutoCloseable {

    private final Path folder;

    private MemoryMount(Path folder) {
        this.folder = folder;
    }

    /** Whether this user may mount. */
    static boolean isAllowed() {
        return "root".equals(System.getProperty("user.name"));
    }

    /**
     * Mounts one, or has the test skipped where that is not allowed.
     *
     * @param options of mount, for example {@code noexec}
     */
    public static MemoryMount on(Path folder, String options) throws IOException {
        assumeThat(isAllowed()).as("mounting needs root").isTrue();
        run("mount", "-t", "tmpfs", "-o", "size=64m," + options, "tmpfs", folder.toString());
        return new MemoryMount(folder);
    }

    @Override
    public void close() throws IOException {
        run("umount", folder.toString());
    }

    private static void run(String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        // With the end of the output, the program ends.
        assumeThat(process.onExit().join().exitValue())
                .as(String.join(" ", command) + ": " + output)
                .isZero();
    }
}
