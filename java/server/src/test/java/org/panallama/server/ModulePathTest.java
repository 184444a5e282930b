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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Modular programs run on the jars as they are, by nothing but {@code java -p … -m …}. */
class ModulePathTest {

    /** What the dependencies panallama and panallama-model-tiny put on a module path, with one binding. */
    private static final List<String> LIBRARY =
            List.of("panallama-core", "panallama-natives", "panallama-model-tiny", "jspecify", "slf4j");

    private static final List<String> SERVER = List.of(
            "panallama-engine",
            "server" + File.separator + "target" + File.separator + "classes",
            "gson",
            "jetty-",
            "micrometer-",
            "prometheus-metrics-",
            "HdrHistogram",
            "LatencyUtils");

    @TempDir
    Path folder;

    @Test
    void generatesThroughFfm() throws Exception {
        assertThat(generated("panallama-ffm")).isEqualTo("France by module org.panallama");
    }

    @Test
    void serves() throws Exception {
        String program = """
                package app;

                import java.net.URI;
                import java.net.http.*;
                import org.panallama.server.LlamaServer;
                import org.panallama.tiny.TinyModel;

                public class App {
                    public static void main(String[] args) throws Exception {
                        try (LlamaServer server = LlamaServer.builder(TinyModel.path()).port(0).start()) {
                            System.out.println(get(server, "").contains("<html"));
                            System.out.println(get(server, "js/app.js").contains("import"));
                            System.out.println(get(server, "openapi.json").contains("/v1/chat/completions"));
                            System.out.println(get(server, "v1/models").contains("\\"object\\""));
                        }
                    }

                    private static String get(LlamaServer server, String path) throws Exception {
                        URI uri = server.uri().resolve("/" + path);
                        return HttpClient.newHttpClient()
                                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString())
                                .body();
                    }
                }
                """;
        String path =
                modulePath(Stream.concat(Stream.concat(LIBRARY.stream(), SERVER.stream()), Stream.of("panallama-ffm"))
                        .toList());
        assertThat(run(
                        path,
                        "requires org.panallama.server; requires org.panallama.tiny; requires java.net.http;",
                        program))
                .isEqualTo("true\ntrue\ntrue\ntrue");
    }

    private String generated(String binding) throws IOException, InterruptedException {
        String program = """
                package app;

                import org.panallama.*;
                import org.panallama.tiny.TinyModel;

                public class App {
                    public static void main(String[] args) {
                        try (Model model = Model.load(TinyModel.path());
                                Context context = model.newContext();
                                Sampler sampler = Sampler.greedy()) {
                            context.generate("[INST] 法国的英文名是什么？ [/INST]", sampler).forEach(System.out::print);
                        }
                        System.out.println(" by " + Model.class.getModule());
                    }
                }
                """;
        List<String> jars = Stream.concat(LIBRARY.stream(), Stream.of(binding)).toList();
        return run(modulePath(jars), "requires org.panallama; requires org.panallama.tiny;", program);
    }

    /** Those entries of the test's class path whose names have one of the parts. */
    private static String modulePath(List<String> parts) {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> parts.stream().anyMatch(entry::contains))
                .collect(Collectors.joining(File.pathSeparator));
    }

    /** Compiles the module {@code app} and runs it; what it prints to stdout. */
    private String run(String path, String requires, String program) throws IOException, InterruptedException {
        Path sources = Files.createDirectories(folder.resolve("app"));
        Files.writeString(folder.resolve("module-info.java"), "module app { " + requires + " }");
        Files.writeString(sources.resolve("App.java"), program);
        String classes = folder.resolve("classes").toString();
        execute("javac", "-p", path, "-d", classes, "-encoding", "UTF-8", "module-info.java", "app/App.java");
        return execute(
                "java",
                "--enable-native-access=org.panallama.ffm",
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
