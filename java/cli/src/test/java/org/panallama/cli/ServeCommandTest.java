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
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
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
                        Map.of(), "serve", "--port", "0", "-t", "1", "-c", "2048", "--api-key-file", keys.toString())
                .start();
        try (BufferedReader err =
                new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
            String line = err.readLine();
            assertThat(line).startsWith(READY + "http://127.0.0.1:");
            URI uri = URI.create(line.substring(READY.length()));
            HttpClient client = HttpClient.newHttpClient();
            HttpRequest long1 = HttpRequest.newBuilder(uri.resolve("/v1/completions"))
                    .header("Authorization", "Bearer two")
                    .POST(BodyPublishers.ofString("{\"prompt\":\"a\",\"max_tokens\":300,\"ignore_eos\":true}"))
                    .build();
            assertThat(client.send(HttpRequest.newBuilder(uri.resolve("/slots")).build(), BodyHandlers.discarding())
                            .statusCode())
                    .isEqualTo(401);
            CompletableFuture<HttpResponse<String>> answer = client.sendAsync(long1, BodyHandlers.ofString());
            HttpRequest slots = HttpRequest.newBuilder(uri.resolve("/slots"))
                    .header("Authorization", "Bearer one")
                    .build();
            while (!client.send(slots, BodyHandlers.ofString()).body().contains("\"is_processing\":true")) {
                Thread.sleep(10);
            }
            process.toHandle().destroy(); // SIGTERM, with the streams left open
            assertThat(answer.join().statusCode()).isEqualTo(200);
            assertThat(answer.join().body()).contains("\"completion_tokens\":300");
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.getInputStream().readAllBytes()).isEmpty();
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
