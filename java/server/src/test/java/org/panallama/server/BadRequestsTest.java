package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever comes in, the answer names what is wrong, and the server goes on. */
class BadRequestsTest {

    private static final String CHAT = "/v1/chat/completions";
    private static final String MESSAGES = "\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]";

    @RegisterExtension
    static final ServerExtension server =
            new ServerExtension(TinyServer.builder().maxBody(1 << 20));

    private static final Http http = server.http();

    @AfterEach
    void theServerGoesOn() {
        JsonObject answer = http.postJson(CHAT, "{" + MESSAGES + ",\"max_tokens\":1}");
        assertThat(answer.getAsJsonArray("choices")).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "\"temperature\":-1|temperature",
                "\"temperature\":\"hot\"|temperature",
                "\"temperature\":1e999|temperature",
                "\"top_p\":1.5|top_p",
                "\"max_tokens\":-5|max_tokens",
                "\"max_tokens\":1.5|max_tokens",
                "\"max_completion_tokens\":1e30|max_completion_tokens",
                "\"n\":1000000000|n",
                "\"n\":0|n",
                "\"seed\":\"x\"|seed",
                "\"stop\":5|stop",
                "\"stop\":[\"\"]|stop",
                "\"stream\":\"yes\"|stream",
                "\"logit_bias\":{\"99999999\":1}|logit_bias",
                "\"logit_bias\":{\"1\":500}|logit_bias.1",
                "\"top_logprobs\":3|top_logprobs",
                "\"logprobs\":true,\"top_logprobs\":50|top_logprobs",
                "\"frequency_penalty\":3|frequency_penalty",
                "\"min_p\":2|min_p",
                "\"mirostat\":7|mirostat",
                "\"grammar\":\"root ::= (\"|grammar",
                "\"stream_options\":{\"include_usage\":true}|stream_options",
                "\"response_format\":{\"type\":\"xml\"}|response_format.type",
                "\"response_format\":{\"type\":\"json_schema\"}|response_format.json_schema",
                "\"tool_choice\":\"sometimes\"|tool_choice",
                "\"tool_choice\":\"required\"|tool_choice",
                "\"tools\":[{\"type\":\"code_interpreter\"}]|tools[0].type",
                "\"functions\":[{\"name\":\"f\"}]|functions",
                "\"modalities\":[\"audio\"]|modalities",
                "\"store\":true|store",
                "\"cache_prompt\":false|cache_prompt",
                "\"lora\":[{\"id\":0,\"scale\":1}]|lora[0].id",
                "\"deadline_ms\":0|deadline_ms"
            })
    void aWrongFieldIsNamed(String field, String param) {
        JsonObject error = http.error(CHAT, "{" + MESSAGES + "," + field + "}");
        assertThat(error.get("status").getAsInt()).isEqualTo(400);
        assertThat(error.get("type").getAsString()).isEqualTo("invalid_request_error");
        assertThat(error.get("param").getAsString()).isEqualTo(param);
        assertThat(error.get("message").getAsString()).contains("'");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {
                "{}|messages",
                "{\"messages\":[]}|messages",
                "{\"messages\":\"hi\"}|messages",
                "{\"messages\":[{\"content\":\"a\"}]}|messages[0].role",
                "{\"messages\":[{\"role\":\"user\"}]}|messages[0].content",
                "{\"messages\":[{\"role\":\"<s>\",\"content\":\"a\"}]}|messages[0].role",
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{}}]}]}|messages[0].content[0].type",
                "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\"}]}]}|messages[0].content[0].type"
            })
    void aWrongConversationIsNamed(String body, String param) {
        JsonObject error = http.error(CHAT, body);
        assertThat(error.get("status").getAsInt()).isEqualTo(400);
        assertThat(error.get("param").getAsString()).isEqualTo(param);
    }

    @Test
    void unknownFieldsAreLeftAlone() {
        JsonObject answer = http.postJson(CHAT, "{" + MESSAGES + ",\"max_tokens\":1,\"user\":\"me\",\"x\":[1,{}]}");
        assertThat(Http.choice(answer).get("message").isJsonObject()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '\'',
            value = {"{|", "not json|", "[1]|", "{\"a\":1}x|", "{'a':1}|", "''|", "{\"a\":NaN}|"})
    void whatIsNotJsonIsRefused(String body, String ignored) {
        JsonObject error = http.error(CHAT, body);
        assertThat(error.get("status").getAsInt()).isEqualTo(400);
        assertThat(error.get("code").getAsString()).isEqualTo("invalid_json");
    }

    @Test
    void hugeAndDeepAndBrokenBodiesAreRefused() {
        assertThat(http.post(CHAT, " ".repeat((1 << 20) + 1)).statusCode()).isEqualTo(413);
        assertThat(http.error(CHAT, "[".repeat(500_000)).get("code").getAsString())
                .isEqualTo("invalid_json");
        String stops = "\"a\",".repeat(100_000) + "\"a\"";
        assertThat(http.error(CHAT, "{" + MESSAGES + ",\"stop\":[" + stops + "]}")
                        .get("param")
                        .getAsString())
                .isEqualTo("stop");
        byte[] latin = ("{\"messages\":\"" + "\u00e9" + "\"}").getBytes(StandardCharsets.ISO_8859_1);
        HttpResponse<String> response = http.send(
                http.request(CHAT).POST(BodyPublishers.ofByteArray(latin)).build());
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.body()).contains("UTF-8");
    }

    /** A server that hung up on a client that is still sending would take the answer away from it, but not each time. */
    @Test
    void whoIsStillSendingHasTheRefusalToo() {
        String body = " ".repeat(4 << 20);
        for (int i = 0; i < 20; i++) {
            assertThat(http.post(CHAT, body).statusCode()).isEqualTo(413);
            assertThat(http.post("/v1/models", body).statusCode()).isEqualTo(405);
            assertThat(http.post("/v1/nothing", body).statusCode()).isEqualTo(404);
        }
    }

    @Test
    void aPromptThatIsTooLongSaysHowLong() {
        JsonObject error =
                http.error(CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"" + "法国 ".repeat(5000) + "\"}]}");
        assertThat(error.get("status").getAsInt()).isEqualTo(400);
        assertThat(error.get("code").getAsString()).isEqualTo("context_length_exceeded");
        assertThat(error.get("message").getAsString()).contains("2048");
    }

    @Test
    void aGrammarBombIsRefused() {
        StringBuilder rules = new StringBuilder("root ::= a0\\n");
        for (int i = 0; i < 40; i++) {
            rules.append("a")
                    .append(i)
                    .append(" ::= a")
                    .append(i + 1)
                    .append(" a")
                    .append(i + 1)
                    .append("\\n");
        }
        rules.append("a40 ::= \\\"\\\"");
        HttpResponse<String> response =
                http.post(CHAT, "{" + MESSAGES + ",\"max_tokens\":2,\"grammar\":\"" + rules + "\"}");
        assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
    }

    @Test
    void malformedHttpIsAnsweredInJson() throws IOException {
        try (Socket socket = new Socket("127.0.0.1", server.uri().getPort())) {
            socket.getOutputStream().write("GET / HTTP/9.9\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(answer).startsWith("HTTP/1.1 ").contains("\"error\"");
        }
    }
}
