package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tools with Mixtral's template, which has no place for them. The model was not trained to call any: a grammar makes it. */
class TextToolsTest {

    private static final String CHAT = "/v1/chat/completions";
    private static final String TOOLS =
            ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"strict\":true,"
                    + "\"description\":\"The weather now\",\"parameters\":{\"type\":\"object\",\"properties\":{\"city\":{\"$ref\":"
                    + "\"#/$defs/city\"},\"days\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":9}},\"required\":[\"city\",\"days\"],"
                    + "\"additionalProperties\":false,\"$defs\":{\"city\":{\"type\":\"string\",\"enum\":[\"Paris\",\"罗马\"]}}}}},"
                    + "{\"type\":\"function\",\"function\":{\"name\":\"stop\"}}]";

    @RegisterExtension
    static final ServerExtension server = new ServerExtension(TinyServer.builder());

    private static final Http http = server.http();

    private static String ask(String more) {
        return "{\"messages\":[{\"role\":\"user\",\"content\":\"法国的英文名是什么？\"}],\"max_tokens\":200" + TOOLS + more + "}";
    }

    private static String named(String name) {
        return "{\"type\":\"function\",\"function\":{\"name\":\"" + name + "\"}}";
    }

    private static JsonArray calls(JsonObject choice) {
        return choice.getAsJsonObject("message").getAsJsonArray("tool_calls");
    }

    private static JsonObject function(JsonElement call) {
        assertThat(call.getAsJsonObject().get("id").getAsString()).startsWith("call_");
        return call.getAsJsonObject().getAsJsonObject("function");
    }

    private static void assertValid(JsonObject function) {
        JsonObject arguments =
                JsonParser.parseString(function.get("arguments").getAsString()).getAsJsonObject();
        if (function.get("name").getAsString().equals("stop")) {
            assertThat(arguments.keySet()).isEmpty();
            return;
        }
        assertThat(function.get("name").getAsString()).isEqualTo("weather");
        assertThat(arguments.keySet()).containsExactly("city", "days");
        assertThat(arguments.get("city").getAsString()).isIn("Paris", "罗马");
        assertThat(arguments.get("days").getAsInt()).isBetween(1, 9);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5})
    void aCallThatIsRequiredFollowsItsSchema(int seed) {
        String sampling =
                ",\"temperature\":3,\"top_k\":0,\"top_p\":1,\"min_p\":0,\"parallel_tool_calls\":false,\"seed\":" + seed;
        JsonObject any = Http.choice(http.postJson(CHAT, ask(sampling + ",\"tool_choice\":\"required\"")));
        assertThat(any.get("finish_reason").getAsString()).isEqualTo("tool_calls");
        assertThat(any.getAsJsonObject("message").get("content").isJsonNull()).isTrue();
        assertThat(calls(any)).singleElement().satisfies(call -> assertValid(function(call)));
        JsonObject chosen = Http.choice(http.postJson(CHAT, ask(sampling + ",\"tool_choice\":" + named("weather"))));
        assertThat(calls(chosen)).singleElement().satisfies(call -> {
            assertValid(function(call));
            assertThat(function(call).get("name").getAsString()).isEqualTo("weather");
        });
    }

    @Test
    void severalCallsAreStreamed() {
        // Without an end of its own, the model calls until it is stopped.
        String body = ask(",\"seed\":7,\"ignore_eos\":true,\"max_tokens\":200,\"tool_choice\":\"required\"");
        JsonArray whole = calls(Http.choice(http.postJson(CHAT, body)));
        assertThat(whole).hasSizeGreaterThan(1);
        assertValid(function(whole.get(0)));

        List<String> names = new ArrayList<>();
        List<StringBuilder> arguments = new ArrayList<>();
        int pieces = 0;
        for (JsonObject chunk : http.stream(CHAT, body.replace("\"tools\"", "\"stream\":true,\"tools\""))) {
            JsonObject delta = Http.choice(chunk).getAsJsonObject("delta");
            assertThat(delta.has("content") ? delta.get("content").getAsString() : "")
                    .isEmpty();
            if (!delta.has("tool_calls")) {
                continue;
            }
            JsonObject call = delta.getAsJsonArray("tool_calls").get(0).getAsJsonObject();
            int index = call.get("index").getAsInt();
            if (call.has("id")) {
                assertThat(index).isEqualTo(names.size());
                names.add(function(call).get("name").getAsString());
                arguments.add(new StringBuilder());
            }
            arguments
                    .get(index)
                    .append(call.getAsJsonObject("function").get("arguments").getAsString());
            pieces++;
        }
        assertThat(pieces).isGreaterThan(2 * names.size());
        assertThat(names).hasSameSizeAs(whole);
        for (int i = 0; i < names.size(); i++) {
            JsonObject function = function(whole.get(i));
            assertThat(names.get(i)).isEqualTo(function.get("name").getAsString());
            assertThat(arguments.get(i)).hasToString(function.get("arguments").getAsString());
        }
    }

    @Test
    void theModelMayAnswerInstead() {
        for (String choice : List.of("", ",\"tool_choice\":\"auto\"", ",\"tool_choice\":\"none\"")) {
            JsonObject answer = Http.choice(http.postJson(CHAT, ask(",\"temperature\":0,\"max_tokens\":8" + choice)));
            assertThat(answer.getAsJsonObject("message").has("tool_calls")).isFalse();
            assertThat(answer.getAsJsonObject("message").get("content").getAsString())
                    .isNotEmpty();
        }
        assertThat(prompt(ask(""))).contains("{\"name\":\"weather\"");
        assertThat(prompt(ask(",\"tool_choice\":\"none\""))).doesNotContain("weather");
    }

    private static String prompt(String body) {
        return http.postJson("/apply-template", body).get("prompt").getAsString();
    }

    @Test
    void whatCameOfACallIsToldToTheModel() {
        String messages =
                "\"messages\":[{\"role\":\"user\",\"content\":\"Weather?\"},{\"role\":\"assistant\",\"content\":null,"
                        + "\"tool_calls\":[{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"weather\",\"arguments\":"
                        + "\"{\\\"city\\\":\\\"Paris\\\"}\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"sunny\"}]";
        assertThat(prompt("{" + messages + "}"))
                .endsWith(
                        "[INST] <tool_response>\n{\"name\":\"weather\",\"content\":\"sunny\"}\n</tool_response> [/INST]");
        JsonObject answer = http.postJson(CHAT, "{" + messages + ",\"max_tokens\":5" + TOOLS + "}");
        assertThat(Http.choice(answer).getAsJsonObject("message").has("content"))
                .isTrue();
    }

    @Test
    void responsesCallThemToo() {
        String body =
                "{\"input\":\"Weather?\",\"tools\":[{\"type\":\"function\",\"name\":\"stop\",\"parameters\":{\"type\":"
                        + "\"object\",\"properties\":{\"how\":{\"enum\":[\"now\"]}},\"required\":[\"how\"]}}],"
                        + "\"parallel_tool_calls\":false,\"tool_choice\":{\"type\":\"function\",\"name\":\"stop\"}}";
        JsonObject item = http.postJson("/v1/responses", body)
                .getAsJsonArray("output")
                .get(0)
                .getAsJsonObject();
        assertThat(item.get("type").getAsString()).isEqualTo("function_call");
        assertThat(item.get("name").getAsString()).isEqualTo("stop");
        assertThat(JsonParser.parseString(item.get("arguments").getAsString())
                        .getAsJsonObject()
                        .get("how")
                        .getAsString())
                .isEqualTo("now");
    }
}
