package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.panallama.server.ModularProgram.FFM;
import static org.panallama.server.ModularProgram.LIBRARY;
import static org.panallama.server.ModularProgram.concat;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The server on a module path serves its API, and its page, which lies in a package of its module. */
class ServerModulesTest {

    private static final List<String> SERVER = List.of(
            "server" + File.separator + "target" + File.separator + "classes",
            "panallama-engine",
            "gson",
            "jetty-",
            "micrometer-",
            "prometheus-metrics-",
            "HdrHistogram",
            "LatencyUtils");

    private static final String PROGRAM = """
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

    @TempDir
    Path folder;

    @Test
    void serves() throws Exception {
        ModularProgram program = new ModularProgram(folder, concat(concat(LIBRARY, FFM), SERVER));
        assertThat(program.run("org.panallama.server; requires org.panallama.tiny; requires java.net.http", PROGRAM))
                .isEqualTo("true\ntrue\ntrue\ntrue");
    }
}
