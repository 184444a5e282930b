package org.panallama.internal;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.panallama.Llama;

/** A JVM of its own, which says whether llama.cpp can be used there: llama.cpp loads once in a JVM's life. */
public final class ChildJvm {

    private final List<String> options = new ArrayList<>();
    private final List<String> classPath;

    /** With this JVM's class path, and its properties of Panallama's. */
    public ChildJvm() {
        String surefire = System.getProperty("surefire.test.class.path");
        String all = surefire == null ? System.getProperty("java.class.path") : surefire;
        classPath = new ArrayList<>(List.of(all.split(File.pathSeparator)));
        options.addAll(properties());
    }

    /** What starts a program with this JVM's class path and its properties of Panallama's. */
    public static List<String> command(Class<?> program, String... options) {
        List<String> command = new ArrayList<>(List.of(java()));
        command.addAll(Arrays.asList(options));
        command.addAll(properties());
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), program.getName()));
        return command;
    }

    /**
     * Runs a program in several processes at once.
     *
     * @throws AssertionError if one of them fails
     */
    public static void runTogether(int processes, Class<?> program, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = command(program, "-XX:TieredStopAtLevel=1");
        command.addAll(Arrays.asList(arguments));
        List<Process> started = new ArrayList<>();
        for (int i = 0; i < processes; i++) {
            started.add(new ProcessBuilder(command).redirectErrorStream(true).start());
        }
        for (Process process : started) {
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int status = process.waitFor();
            if (status != 0) {
                throw new AssertionError("exit status " + status + " of " + command + ": " + output);
            }
        }
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    private static List<String> properties() {
        return System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith("panallama."))
                .map(name -> "-D" + name + "=" + System.getProperty(name))
                .toList();
    }

    /** Options of the JVM; later ones win. */
    public ChildJvm with(String... more) {
        options.addAll(Arrays.asList(more));
        return this;
    }

    /** One more jar or folder of classes. */
    public ChildJvm with(Path jar) {
        classPath.add(jar.toString());
        return this;
    }

    /** Takes the jars whose names begin so off the class path. */
    public ChildJvm without(String artifact) {
        classPath.removeIf(entry -> Path.of(entry).getFileName().toString().startsWith(artifact));
        return this;
    }

    /**
     * What the JVM says: {@code usable through} and the binding, or why not.
     *
     * @throws AssertionError if it dies
     */
    public Said run() throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(java());
        command.addAll(List.of("-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dstdout.encoding=UTF-8"));
        command.addAll(options);
        command.addAll(List.of("-cp", String.join(File.pathSeparator, classPath), SayWhetherUsable.class.getName()));
        Path err = Files.createTempFile("child-jvm", ".err");
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectError(err.toFile());
            builder.environment().keySet().removeIf(name -> name.startsWith("PANALLAMA_"));
            Process process = builder.start();
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int status = process.waitFor();
            Said said = new Said(out, Files.readString(err));
            if (status != 0) {
                throw new AssertionError("exit status " + status + " of " + command + ": " + said);
            }
            return said;
        } finally {
            Files.delete(err);
        }
    }

    /** What came to the two streams. */
    public record Said(String out, String err) {}

    /** The program. */
    static final class SayWhetherUsable {
        public static void main(String[] args) {
            Throwable cause = Llama.unavailabilityCause();
            System.out.print(cause == null ? "usable through " + Llama.bindingName() : cause.getMessage());
        }
    }
}
