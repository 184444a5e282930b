package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.panallama.tiny.TinyModel;

/** Keys, origins, limits, clients that go, several models, and the end. */
@Timeout(300)
class ServiceTest {

    private static final String CHAT = "/v1/chat/completions";
    private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"法国的英文名是什么？\"}]";
    private static final String CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
    private static final String LONG = "{" + MESSAGES + ",\"ignore_eos\":true,\"max_tokens\":1900";

    /** Goes on for longer than any test has to see of it. For a server with {@link #room}. */
    private static final String ENDLESS = LONG.replace("1900", "19000");

    private static LlamaServer.Builder room() {
        return LlamaServer.builder(TinyModel.path())
                .settings(TinyServer.settings().length(20_000).build());
    }

    @Test
    void keysAreAskedFor() {
        try (LlamaServer server =
                TinyServer.builder().apiKeys(List.of("one", "two")).start()) {
            Http http = new Http(server);
            HttpResponse<String> without = http.get("/v1/models");
            assertThat(without.statusCode()).isEqualTo(401);
            assertThat(without.body()).contains("missing_api_key");
            assertThat(without.headers().firstValue("WWW-Authenticate")).hasValue("Bearer");
            assertThat(with(http, "three").statusCode()).isEqualTo(401);
            assertThat(with(http, "two").statusCode()).isEqualTo(200);
            assertThat(http.send(http.request("/slots")
                                    .header("X-Api-Key", "one")
                                    .build())
                            .statusCode())
                    .isEqualTo(200);
            assertThat(http.get("/health").statusCode()).isEqualTo(200);
        }
    }

    private static HttpResponse<String> with(Http http, String key) {
        return http.send(http.request("/v1/models")
                .header("Authorization", "Bearer " + key)
                .build());
    }

    @Test
    void otherOriginsAreLetInOnlyIfNamed() {
        try (LlamaServer closed = TinyServer.builder().start();
                LlamaServer open =
                        TinyServer.builder().allowOrigin("https://example.org").start()) {
            assertThat(fromOrigin(closed, "https://example.org").headers().firstValue("Access-Control-Allow-Origin"))
                    .isEmpty();
            assertThat(fromOrigin(open, "https://example.org").headers().firstValue("Access-Control-Allow-Origin"))
                    .hasValue("https://example.org");
            assertThat(fromOrigin(open, "https://example.com").headers().firstValue("Access-Control-Allow-Origin"))
                    .isEmpty();
            Http http = new Http(open);
            HttpResponse<String> preflight = http.send(http.request(CHAT)
                    .method("OPTIONS", BodyPublishers.noBody())
                    .header("Origin", "https://example.org")
                    .header("Access-Control-Request-Method", "POST")
                    .header("Access-Control-Request-Headers", "authorization,content-type")
                    .build());
            assertThat(preflight.statusCode()).isEqualTo(200);
            assertThat(preflight.headers().firstValue("Access-Control-Allow-Headers"))
                    .hasValueSatisfying(headers -> assertThat(headers.split(","))
                            .contains("Authorization", "*")); // the star is for others only
            assertThat(preflight.headers().firstValue("Access-Control-Allow-Methods"))
                    .hasValueSatisfying(methods -> assertThat(methods).contains("POST"));
        }
    }

    private static HttpResponse<String> fromOrigin(LlamaServer server, String origin) {
        Http http = new Http(server);
        return http.send(http.request("/health").header("Origin", origin).build());
    }

    @Test
    void aFullQueueSaysWhenToComeAgain() {
        try (LlamaServer server = LlamaServer.builder(TinyModel.path())
                .settings(TinyServer.settings().parallel(1).queue(1).build())
                .start()) {
            Http http = new Http(server);
            HttpResponse<String> refused = http.post(CHAT, LONG.replace("1900", "50") + ",\"n\":8}");
            assertThat(refused.statusCode()).as(refused.body()).isEqualTo(429);
            assertThat(refused.headers().firstValue("Retry-After")).hasValue("1");
            assertThat(refused.body()).contains("rate_limit_exceeded");
            until(() -> idle(http));
        }
    }

    @Test
    void tooManyRequestsAtOnceAreRefused() throws IOException {
        try (LlamaServer server = TinyServer.builder().concurrency(1).start();
                Socket socket = new Socket("127.0.0.1", server.uri().getPort())) {
            Http http = new Http(server);
            byte[] body = (LONG.replace("1900", "5") + "}").getBytes(StandardCharsets.UTF_8);
            send(socket, body.length, "Expect: 100-continue\r\nConnection: close\r\n");
            // A body is asked for by what handles the request: it has the only place.
            byte[] asked = CONTINUE.getBytes(StandardCharsets.US_ASCII);
            assertThat(socket.getInputStream().readNBytes(asked.length)).isEqualTo(asked);
            assertThat(http.get("/v1/models").statusCode()).isEqualTo(429);
            assertThat(http.get("/health").statusCode()).isEqualTo(200);
            socket.getOutputStream().write(body);
            assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .startsWith("HTTP/1.1 200 ");
            assertThat(http.get("/v1/models").statusCode()).isEqualTo(200);
        }
    }

    /** Asks on two connections in turn: on the same one a request waits until the server is done with the one before. */
    @Test
    void thePlaceOfARequestIsFreeWhenItsAnswerHasCome() throws IOException {
        byte[] request = "GET /v1/models/x HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        try (LlamaServer server = TinyServer.builder().concurrency(1).start();
                Socket one = new Socket("127.0.0.1", server.uri().getPort());
                Socket other = new Socket("127.0.0.1", server.uri().getPort())) {
            for (int i = 0; i < 1_000; i++) {
                Socket socket = i % 2 == 0 ? one : other;
                socket.getOutputStream().write(request);
                StringBuilder answer = new StringBuilder();
                while (answer.indexOf("}}") < 0) {
                    answer.append((char) socket.getInputStream().read());
                }
                assertThat(answer).startsWith("HTTP/1.1 404 ");
            }
        }
    }

    /** Begins a chat request, whose body is to follow. */
    private static void send(Socket socket, int length, String headers) throws IOException {
        String head = "POST " + CHAT + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + "\r\n" + headers;
        socket.getOutputStream().write((head + "\r\n").getBytes(StandardCharsets.US_ASCII));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ",\"stream\":true"})
    void aClientThatGoesAwayEndsItsRequest(String stream) throws IOException {
        try (LlamaServer server = room().start()) {
            Http http = new Http(server);
            try (Socket socket = new Socket("127.0.0.1", server.uri().getPort())) {
                begin(socket, http, ENDLESS + stream + "}", "");
            }
            until(() -> idle(http));
            // It was cut short: a whole answer would have been counted.
            assertThat(http.get("/metrics").body()).doesNotContain("panallama_generated_tokens_total");
        }
    }

    @Test
    void aBodyThatComesInDropsIsGivenUp() throws IOException {
        try (LlamaServer server = TinyServer.builder().concurrency(1).start();
                Socket socket = new Socket("127.0.0.1", server.uri().getPort())) {
            send(socket, 1_000_000, "Expect: 100-continue\r\n");
            byte[] asked = CONTINUE.getBytes(StandardCharsets.US_ASCII);
            assertThat(socket.getInputStream().readNBytes(asked.length)).isEqualTo(asked);
            until(() -> {
                try {
                    socket.getOutputStream().write(' ');
                    return socket.getInputStream().available() > 0;
                } catch (IOException e) {
                    return true; // the server has hung up; what it said can still be read
                }
            });
            assertThat(new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII))
                    .isEqualTo("HTTP/1.1 408");
            Http http = new Http(server);
            until(() -> http.get("/v1/models").statusCode() == 200); // its place is free again
        }
    }

    private static boolean idle(Http http) {
        for (JsonElement slot : http.getJson("/slots").getAsJsonArray()) {
            if (slot.getAsJsonObject().get("is_processing").getAsBoolean()) {
                return false;
            }
        }
        return true;
    }

    private static void until(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Test
    void aDeadlineCutsAnAnswer() {
        HttpResponse<String> response;
        int seconds = 1;
        do { // as long as it takes to begin an answer in time
            try (LlamaServer server =
                    room().deadline(Duration.ofSeconds(seconds)).start()) {
                Http http = new Http(server);
                http.post(CHAT, "{" + MESSAGES + ",\"max_tokens\":1}"); // the context is made by the first request
                response = http.post(CHAT, ENDLESS + "}");
            }
            seconds *= 2;
        } while (response.statusCode() == 504);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        JsonObject answer = JsonParser.parseString(response.body()).getAsJsonObject();
        assertThat(Http.choice(answer).get("finish_reason").getAsString()).isEqualTo("length");
        assertThat(answer.getAsJsonObject("usage").get("completion_tokens").getAsInt())
                .isLessThan(19_000);
    }

    @Test
    void drainingLetsAnswersEndAndTakesNoMore() throws Exception {
        LlamaServer server = TinyServer.builder().start();
        Http http = new Http(server);
        try (Socket socket = new Socket("127.0.0.1", server.uri().getPort())) {
            begin(socket, http, LONG + "}", "Connection: close\r\n");
            assertThat(server.drain(Duration.ofMinutes(4))).isTrue();
            assertThat(new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .startsWith("HTTP/1.1 200 ")
                    .contains("\"completion_tokens\":1900");
        }
        assertThatThrownBy(() -> http.get("/health")).hasRootCauseInstanceOf(IOException.class);
    }

    /** Sends a chat request, and waits until its answer is being computed, or is there. */
    private static void begin(Socket socket, Http http, String json, String headers) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        send(socket, body.length, headers);
        socket.getOutputStream().write(body);
        InputStream answer = socket.getInputStream();
        until(() -> {
            try {
                return !idle(http) || answer.available() > 0;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    @Test
    void closingCancelsWhatRuns() throws IOException {
        LlamaServer server = room().start();
        try (Socket socket = new Socket("127.0.0.1", server.uri().getPort())) {
            begin(socket, new Http(server), ENDLESS + "}", "Connection: close\r\n");
            server.close();
            String answer;
            try {
                answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            } catch (IOException e) {
                answer = ""; // hung up on
            }
            assertThat(answer.isEmpty() || answer.startsWith("HTTP/1.1 503 "))
                    .as(answer)
                    .isTrue();
        }
    }

    @Test
    void modelsOfAFolderComeAndGo(@TempDir Path folder) throws IOException {
        for (String name : List.of("a", "b", "c")) {
            Files.copy(TinyModel.path(), folder.resolve(name + ".gguf"));
        }
        Files.writeString(folder.resolve("readme.txt"), "not a model");
        Files.writeString(folder.resolve("broken.gguf"), "not a model either");
        try (LlamaServer server = LlamaServer.ofFolder(folder, 2)
                .settings(TinyServer.settings().build())
                .start()) {
            Http http = new Http(server);
            assertThat(loaded(http)).isEmpty();
            assertThat(ask(http, "a").get("model").getAsString()).isEqualTo("a");
            ask(http, "b");
            ask(http, "a");
            assertThat(loaded(http)).containsExactly("a", "b");
            ask(http, "c"); // b was used the longest ago
            assertThat(loaded(http)).containsExactly("a", "c");
            JsonObject unknown = http.error(CHAT, "{" + MESSAGES + ",\"model\":\"../a\"}");
            assertThat(unknown.get("status").getAsInt()).isEqualTo(404);
            assertThat(unknown.get("code").getAsString()).isEqualTo("model_not_found");
            assertThat(http.error(CHAT, "{" + MESSAGES + "}").get("param").getAsString())
                    .isEqualTo("model");
            assertThat(http.error(CHAT, "{" + MESSAGES + ",\"model\":\"broken\"}")
                            .get("message")
                            .getAsString())
                    .contains("broken.gguf");
            assertThat(ask(http, "b").get("model").getAsString()).isEqualTo("b");
        }
    }

    private static JsonObject ask(Http http, String model) {
        return http.postJson(CHAT, "{" + MESSAGES + ",\"max_tokens\":2,\"model\":\"" + model + "\"}");
    }

    private static List<String> loaded(Http http) {
        JsonArray models = http.getJson("/v1/models").getAsJsonObject().getAsJsonArray("data");
        return models.asList().stream()
                .map(JsonElement::getAsJsonObject)
                .filter(model -> model.get("loaded").getAsBoolean())
                .map(model -> model.get("id").getAsString())
                .toList();
    }

    @Test
    void aPipelinedRequestIsAnsweredToo() throws IOException {
        try (LlamaServer server = TinyServer.builder().start();
                Socket socket = new Socket("127.0.0.1", server.uri().getPort())) {
            Http http = new Http(server);
            begin(socket, http, LONG + "}", "");
            socket.getOutputStream()
                    .write("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            String answers = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answers).contains("chat.completion", "\"status\":\"ok\"");
        }
    }

    @Test
    void aPortThatIsTakenIsNamed() {
        try (LlamaServer first = TinyServer.builder().start()) {
            int port = first.uri().getPort();
            assertThatThrownBy(() -> TinyServer.builder().port(port).start()).hasMessageContaining("port " + port);
        }
    }
}
