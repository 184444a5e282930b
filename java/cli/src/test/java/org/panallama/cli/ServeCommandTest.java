package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServeCommandTest {

    private static final String READY = "panallama: serving at ";

    @Test
    void servesUntilItIsToldToEndAndFinishesWhatItBegan(@TempDir Path folder) throws Exception {
        Path keys = Files.write(folder.resolve("keys.txt"), List.of("# whose", "one", "", "two"));
        Process process = Child.builder(
                        Map.of(),
                        "serve",
                        "--port",
                        "0",
                        "-t",
                        "1",
                        "-c",
                        "2048",
                        "--drain",
                        "240",
                        "--api-key-file",
                        keys.toString())
                .start();
        try (BufferedReader err =
                new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
            String line = err.readLine();
            assertThat(line).startsWith(READY + "http://127.0.0.1:");
            URI uri = URI.create(line.substring(READY.length()));
            HttpClient client = HttpClient.newHttpClient();
            HttpRequest question = HttpRequest.newBuilder(uri.resolve("/v1/completions"))
                    .header("Authorization", "Bearer two")
                    .POST(BodyPublishers.ofString(
                            "{\"prompt\":\"a\",\"max_tokens\":300,\"ignore_eos\":true,\"stream\":true}"))
                    .build();
            assertThat(client.send(HttpRequest.newBuilder(uri.resolve("/slots")).build(), BodyHandlers.discarding())
                            .statusCode())
                    .isEqualTo(401);
            HttpResponse<Stream<String>> answer = client.send(question, BodyHandlers.ofLines());
            assertThat(answer.statusCode()).isEqualTo(200);
            Iterator<String> events =
                    answer.body().filter(event -> !event.isEmpty()).iterator();
            assertThat(events.next()).startsWith("data: {");
            process.toHandle().destroy(); // SIGTERM, with the streams left open
            String last = "";
            String beforeLast = "";
            while (events.hasNext()) {
                beforeLast = last;
                last = events.next();
            }
            assertThat(beforeLast).contains("\"finish_reason\":\"length\"");
            assertThat(last).isEqualTo("data: [DONE]");
            assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
            assertThat(process.getInputStream().readAllBytes()).isEmpty();
            assertThat(err.readLine()).isEqualTo("panallama: finishing the answers under way");
            assertThat(err.readLine()).isNull(); // nothing was interrupted
            assertThat(process.exitValue()).isEqualTo(128 + 15);
        } finally {
            process.destroyForcibly();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--port 99999|port is 99999",
                "--models no-such-folder|no-such-folder is not a folder",
                "--models . -m x.gguf|mutually exclusive",
                "--max-models 2|--models",
                "--parallel 0|parallel is 0",
                "--tls-cert c.pem|--tls-key",
                "--cors example.org|origin is 'example.org'",
                "--template chatml --chat-template-file t.jinja|--chat-template-file"
            })
    void wrongOptionsAreNamed(String options, String message) {
        String[] args = ("serve " + options).split(" ");
        Result result = Result.of(args);
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.err()).contains(message);
    }

    @Test
    void aModelThatIsNotThereIsNamed() {
        Result result = Result.of("serve", "-m", "missing.gguf");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("missing.gguf");
    }
}
