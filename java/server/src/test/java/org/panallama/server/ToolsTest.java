package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tools, with a template that knows them. */
class ToolsTest {

    private static final String CHAT = "/v1/chat/completions";
    private static final String QUESTION = "Weather in Paris?";

    @RegisterExtension
    static final ServerExtension server = new ServerExtension(TinyServer.withTools());

    private static final Http http = server.http();
    private static String braces;

    @BeforeAll
    static void askForTokens() {
        braces = TinyServer.braces(http);
    }

    private static String ask(String more) {
        return "{\"messages\":[{\"role\":\"user\",\"content\":\"" + QUESTION + "\"}],\"temperature\":0,\"logit_bias\":{"
                + braces + "},\"max_tokens\":40" + more + "}";
    }

    @Test
    void aToolThatIsRequiredIsCalled() {
        String tools = ",\"max_tokens\":200,\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"weather\","
                + "\"description\":\"The weather\",\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":"
                + "{\"type\":\"string\",\"enum\":[\"Paris\",\"Rome\"]}},\"required\":[\"city\"]}}},{\"type\":\"function\","
                + "\"function\":{\"name\":\"time\"}}],\"parallel_tool_calls\":false,"
                + "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"weather\"}}";
        String body = ask("").replace(",\"max_tokens\":40", tools);
        JsonObject choice = Http.choice(http.postJson(CHAT, body));
        assertThat(choice.get("finish_reason").getAsString()).isEqualTo("tool_calls");
        JsonObject call = choice.getAsJsonObject("message")
                .getAsJsonArray("tool_calls")
                .get(0)
                .getAsJsonObject();
        assertThat(call.get("id").getAsString()).isNotEmpty();
        JsonObject function = call.getAsJsonObject("function");
        assertThat(function.get("name").getAsString()).isEqualTo("weather");
        JsonObject arguments =
                JsonParser.parseString(function.get("arguments").getAsString()).getAsJsonObject();
        assertThat(arguments.get("city").getAsString()).isIn("Paris", "Rome");

        StringBuilder name = new StringBuilder();
        StringBuilder streamed = new StringBuilder();
        String finish = "";
        for (JsonObject chunk : http.stream(CHAT, body.replace("\"tools\"", "\"stream\":true,\"tools\""))) {
            JsonObject part = Http.choice(chunk);
            if (part.get("finish_reason").isJsonPrimitive()) {
                finish = part.get("finish_reason").getAsString();
            }
            JsonElement calls = part.getAsJsonObject("delta").get("tool_calls");
            if (calls != null) {
                JsonObject piece =
                        calls.getAsJsonArray().get(0).getAsJsonObject().getAsJsonObject("function");
                name.append(piece.has("name") ? piece.get("name").getAsString() : "");
                streamed.append(piece.get("arguments").getAsString());
            }
        }
        assertThat(name).hasToString("weather");
        assertThat(streamed).hasToString(function.get("arguments").getAsString());
        assertThat(finish).isEqualTo("tool_calls");

        // The conversation goes on with what the tool returned.
        String next = "{\"messages\":[{\"role\":\"user\",\"content\":\"" + QUESTION + "\"},{\"role\":\"assistant\","
                + "\"content\":null,\"tool_calls\":[" + call + "]},{\"role\":\"tool\",\"tool_call_id\":"
                + call.get("id") + ",\"content\":\"sunny\"}],\"max_tokens\":5}";
        assertThat(Http.choice(http.postJson(CHAT, next)).get("message").isJsonObject())
                .isTrue();
    }

    @Test
    void theToolsOfAConversationCanBeNarrowed() {
        String tools = ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"a\"}},{\"type\":\"function\","
                + "\"function\":{\"name\":\"b\"}}],\"tool_choice\":";
        String allowed = "{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"required\",\"tools\":[{\"type\":"
                + "\"function\",\"function\":{\"name\":\"b\"}}]}}";
        JsonObject answer =
                http.postJson(CHAT, ask(tools + allowed).replace("\"max_tokens\":40", "\"max_tokens\":100"));
        assertThat(Http.choice(answer)
                        .getAsJsonObject("message")
                        .getAsJsonArray("tool_calls")
                        .get(0)
                        .getAsJsonObject()
                        .getAsJsonObject("function")
                        .get("name")
                        .getAsString())
                .isEqualTo("b");
        JsonObject none = http.postJson(CHAT, ask(tools + "\"none\""));
        assertThat(Http.choice(none).getAsJsonObject("message").has("tool_calls"))
                .isFalse();
        assertThat(http.error(CHAT, ask(tools + allowed.replace("\"b\"", "\"c\"")))
                        .get("param")
                        .getAsString())
                .isEqualTo("tool_choice");
    }
}
