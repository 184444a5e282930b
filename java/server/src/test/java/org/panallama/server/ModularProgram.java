package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A module {@code app}, compiled and run with jars of the test's class path as modules, by the JDK that the test runs on. */
final class ModularProgram {

    /** Parts of the names of what the dependencies panallama and panallama-model-tiny put on a module path, without the bindings. */
    static final List<String> LIBRARY =
            List.of("panallama-core", "panallama-natives", "panallama-model-tiny", "jspecify", "slf4j");

    static final List<String> FFM = List.of("panallama-ffm");
    static final List<String> JNA = List.of("panallama-jna", "net" + File.separator + "java" + File.separator + "dev");

    private final Path folder;
    private final String path;

    static List<String> concat(List<String> some, List<String> more) {
        return Stream.concat(some.stream(), more.stream()).toList();
    }

    /** @param jars parts of the names of what lies on the module path */
    ModularProgram(Path folder, List<String> jars) {
        this.folder = folder;
        path = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> jars.stream().anyMatch(entry::contains) && !entry.endsWith("-tests.jar"))
                .collect(Collectors.joining(File.pathSeparator));
    }

    /**
     * What the class {@code app.App} prints.
     *
     * @param requires the modules that it names
     */
    String run(String requires, String source) throws IOException, InterruptedException {
        Path sources = Files.createDirectories(folder.resolve("app"));
        Files.writeString(folder.resolve("module-info.java"), "module app { requires " + requires + "; }");
        Files.writeString(sources.resolve("App.java"), source);
        String classes = folder.resolve("classes").toString();
        execute("javac", "-p", path, "-d", classes, "-encoding", "UTF-8", "module-info.java", "app/App.java");
        return execute(
                "java",
                // On a JDK that knows the option, for the modules that are there.
                "--enable-native-access=" + (path.contains("panallama-ffm") ? "org.panallama.ffm" : "com.sun.jna"),
                "-Dpanallama.cache.dir=" + System.getProperty("panallama.cache.dir"),
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-p",
                path + File.pathSeparator + classes,
                "-m",
                "app/app.App");
    }

    private String execute(String tool, String... arguments) throws IOException, InterruptedException {
        Path log = folder.resolve(tool + ".log");
        String program = Path.of(System.getProperty("java.home"), "bin", tool).toString();
        Process process = new ProcessBuilder(
                        Stream.concat(Stream.of(program), Stream.of(arguments)).toList())
                .directory(folder.toFile())
                .redirectError(log.toFile())
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output + Files.readString(log)).isZero();
        return output.strip().replace("\r", "");
    }
}
