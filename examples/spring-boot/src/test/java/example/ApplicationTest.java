package example;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;
import org.springframework.boot.test.web.server.LocalServerPort;
import org.springframework.context.ConfigurableApplicationContext;

@SpringBootTest(webEnvironment = WebEnvironment.RANDOM_PORT)
class ApplicationTest {

    private static final String FRANCE = "{\"question\": \"法国的英文名是什么？\"}";

    private final HttpClient client = HttpClient.newHttpClient();

    @LocalServerPort
    private int port;

    @Test
    void anAnswerIsStreamed() throws Exception {
        HttpResponse<String> response = client.send(ask(port, FRANCE), BodyHandlers.ofString());

        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.body()).contains("event:piece\n", "event:end\n", "\"finishReason\":\"END_OF_GENERATION\"");
        assertThat(text(response.body())).isEqualTo("France");
    }

    @Test
    void manyAreAnsweredTogether() {
        List<CompletableFuture<HttpResponse<String>>> answers = IntStream.range(0, 16)
                .mapToObj(i -> client.sendAsync(ask(port, FRANCE), BodyHandlers.ofString()))
                .toList();

        assertThat(answers).extracting(answer -> text(answer.join().body())).containsOnly("France");
    }

    @Test
    void aQuestionThatCannotBeAnsweredIsABadRequest() throws Exception {
        assertThat(client.send(ask(port, "{\"question\": \"\"}"), BodyHandlers.ofString()))
                .satisfies(response -> assertThat(response.statusCode()).isEqualTo(400))
                .satisfies(response -> assertThat(response.body()).contains("question is empty"));
        assertThat(client.send(ask(port, "{\"question\": \"" + "长".repeat(9000) + "\"}"), BodyHandlers.ofString()))
                .satisfies(response -> assertThat(response.statusCode()).isEqualTo(400))
                .satisfies(response -> assertThat(response.body()).contains("context holds"));
    }

    @Test
    void anAnswerUnderWayIsFinishedAtShutdown() throws Exception {
        ConfigurableApplicationContext application = SpringApplication.run(Application.class, "--server.port=0");
        int itsPort = application.getEnvironment().getRequiredProperty("local.server.port", int.class);
        HttpRequest request = ask(itsPort, "{\"question\": \"以JSON输出缅甸的信息。\"}");
        Iterator<String> lines = client.send(request, BodyHandlers.ofLines()).body().iterator();
        StringBuilder body = new StringBuilder(lines.next());

        CompletableFuture<Void> closing = CompletableFuture.runAsync(application::close);
        lines.forEachRemaining(line -> body.append('\n').append(line));

        assertThat(body).contains("event:end\n", "\"finishReason\":\"END_OF_GENERATION\"");
        closing.join();
    }

    private static HttpRequest ask(int port, String json) {
        return HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/answers"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(json))
                .build();
    }

    private static String text(String events) {
        return Pattern.compile("\"text\":\"(.*?)\"")
                .matcher(events)
                .results()
                .map(piece -> piece.group(1))
                .collect(Collectors.joining());
    }
}
