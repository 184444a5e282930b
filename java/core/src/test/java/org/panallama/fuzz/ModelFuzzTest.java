package org.panallama.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.internal.ChildJvm;

/**
 * Damages the tiny model in hundreds of ways and loads each, in a JVM of its own: whatever the damage, the outcome is a
 * model or an exception, never a crash or a hang. {@code -Dpanallama.fuzz.cases} and {@code -Dpanallama.fuzz.first} try
 * more, or others.
 */
@Tag("native")
class ModelFuzzTest {
    // The first case waits for the JVM's start, too.
    private static final int SECONDS_PER_CASE = 120;
    private static final String EXITED = "exited";

    private final List<String> failures = new ArrayList<>();
    private final Map<String, Integer> outcomes = new TreeMap<>();

    @TempDir
    Path directory;

    @Test
    void noDamagedModelEndsTheProcess() throws Exception {
        long next = Long.getLong("panallama.fuzz.first", 0);
        long end = next + Long.getLong("panallama.fuzz.cases", 600);
        while (next < end) {
            next = runChild(next, end);
        }
        System.out.println("Outcomes of damaged models: " + outcomes);
        assertThat(failures).isEmpty();
        assertThat(outcomes).containsKeys("loaded", "ModelLoadException");
    }

    /** Runs cases until all are done or one ends the process, and returns the next case to run. */
    private long runChild(long first, long end) throws IOException, InterruptedException {
        Path work = Files.createTempDirectory(directory, "cases");
        Path errors = work.resolve("stderr");
        Process child = start(work, errors, first, end);
        BlockingQueue<String> lines = new LinkedBlockingQueue<>();
        Thread reader = new Thread(() -> read(child, lines), "fuzz-reader");
        reader.start();
        long next = first;
        boolean running = false;
        try {
            while (true) {
                String line = lines.poll(SECONDS_PER_CASE, TimeUnit.SECONDS);
                if (line == null) {
                    failures.add("case " + next + " took longer than " + SECONDS_PER_CASE + " s");
                    return next + 1;
                } else if (line.equals(EXITED)) {
                    int status = child.waitFor();
                    if (!running && next < end) {
                        throw new AssertionError("the child could not start: " + tail(errors));
                    } else if (running || status != 0) {
                        failures.add("case " + next + " ended the process with " + status + ": " + tail(errors));
                        return next + 1;
                    }
                    return next;
                } else if (line.startsWith(FuzzChild.START)) {
                    running = true;
                } else if (line.startsWith(FuzzChild.END)) {
                    running = false;
                    next++;
                    outcomes.merge(line.split(" ")[3], 1, Integer::sum);
                }
            }
        } finally {
            child.destroyForcibly().waitFor();
            reader.join();
        }
    }

    private static Process start(Path work, Path errors, long first, long end) throws IOException {
        List<String> command = ChildJvm.command(
                FuzzChild.class,
                "-Xmx256m",
                "-XX:-CreateCoredumpOnCrash",
                "-XX:ErrorFile=" + work.resolve("hs_err.log"),
                "--enable-native-access=ALL-UNNAMED",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=error");
        command.addAll(List.of(work.toString(), Long.toString(first), Long.toString(end - first)));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
        // Otherwise ggml starts a debugger to print where it failed, which takes seconds and stdout.
        builder.environment().put("GGML_NO_BACKTRACE", "1");
        return builder.start();
    }

    private static void read(Process child, BlockingQueue<String> lines) {
        try (BufferedReader in = child.inputReader(StandardCharsets.UTF_8)) {
            in.lines().forEach(lines::add);
        } catch (IOException | RuntimeException e) {
            lines.add("stdout ended: " + e);
        }
        lines.add(EXITED);
    }

    private static String tail(Path errors) throws IOException {
        List<String> lines = new String(Files.readAllBytes(errors), StandardCharsets.UTF_8)
                .lines()
                .toList();
        return String.join(" | ", lines.subList(Math.max(0, lines.size() - 5), lines.size()));
    }
}
