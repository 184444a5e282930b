package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ResponsesTest {

    private static final String PATH = "/v1/responses";
    private static final String ASK = "{\"input\":\"法国的英文名是什么？\",\"temperature\":0,\"max_output_tokens\":40";

    @RegisterExtension
    static final ServerExtension server = new ServerExtension(TinyServer.builder());

    private static final Http http = server.http();

    private static String text(JsonObject response) {
        JsonArray output = response.getAsJsonArray("output");
        return output.get(output.size() - 1)
                .getAsJsonObject()
                .getAsJsonArray("content")
                .get(0)
                .getAsJsonObject()
                .get("text")
                .getAsString();
    }

    @Test
    void answersAsChatDoes() {
        JsonObject response = http.postJson(PATH, ASK + "}");
        assertThat(text(response)).isEqualTo("France");
        assertThat(response.get("status").getAsString()).isEqualTo("completed");
        JsonObject usage = response.getAsJsonObject("usage");
        assertThat(usage.get("total_tokens").getAsInt())
                .isEqualTo(usage.get("input_tokens").getAsInt()
                        + usage.get("output_tokens").getAsInt());
        JsonObject messages = http.postJson(
                PATH,
                "{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"法国的英文名是什么？\"}]}],"
                        + "\"temperature\":0,\"max_output_tokens\":40}");
        assertThat(text(messages)).isEqualTo("France");
        JsonObject cut = http.postJson(PATH, ASK.replace("40", "1") + "}");
        assertThat(cut.get("status").getAsString()).isEqualTo("incomplete");
        assertThat(cut.getAsJsonObject("incomplete_details").get("reason").getAsString())
                .isEqualTo("max_output_tokens");
        assertThat(cut.getAsJsonArray("output")
                        .get(0)
                        .getAsJsonObject()
                        .get("status")
                        .getAsString())
                .isEqualTo("incomplete");
        List<JsonObject> events = events(ASK.replace("40", "1") + ",\"stream\":true}");
        assertThat(events.get(events.size() - 1).get("type").getAsString()).isEqualTo("response.incomplete");
        assertThat(events.get(events.size() - 2)
                        .getAsJsonObject("item")
                        .get("status")
                        .getAsString())
                .isEqualTo("incomplete");
    }

    @Test
    void eventsMakeUpTheAnswer() {
        List<JsonObject> events = events(ASK + ",\"stream\":true}");
        assertThat(events.stream().map(event -> event.get("type").getAsString()).distinct())
                .containsExactly(
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.content_part.added",
                        "response.output_text.delta",
                        "response.output_text.done",
                        "response.content_part.done",
                        "response.output_item.done",
                        "response.completed");
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < events.size(); i++) {
            assertThat(events.get(i).get("sequence_number").getAsInt()).isEqualTo(i);
            if (events.get(i).get("type").getAsString().equals("response.output_text.delta")) {
                text.append(events.get(i).get("delta").getAsString());
            }
        }
        assertThat(text).hasToString("France");
        assertThat(text(events.get(events.size() - 1).getAsJsonObject("response")))
                .isEqualTo("France");
    }

    private static List<JsonObject> events(String body) {
        HttpResponse<String> response = http.post(PATH, body);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        List<JsonObject> events = new ArrayList<>();
        for (String block : response.body().split("\n\n")) {
            String[] lines = block.split("\n");
            JsonObject data = JsonParser.parseString(lines[1].substring("data: ".length()))
                    .getAsJsonObject();
            assertThat(lines[0]).isEqualTo("event: " + data.get("type").getAsString());
            events.add(data);
        }
        return events;
    }

    @Test
    void aFormatHolds() {
        JsonObject response = http.postJson(
                PATH,
                ASK + ",\"text\":{\"format\":{\"type\":\"json_schema\",\"name\":\"x\",\"strict\":true,\"schema\":"
                        + "{\"type\":\"object\",\"properties\":{\"ok\":{\"type\":\"boolean\"}},\"required\":[\"ok\"],"
                        + "\"additionalProperties\":false}}}}");
        assertThat(JsonParser.parseString(text(response)).getAsJsonObject().has("ok"))
                .isTrue();
    }

    @Test
    void whatIsNotKeptIsRefused() {
        assertThat(http.error(PATH, ASK + ",\"previous_response_id\":\"resp_1\"}")
                        .get("param")
                        .getAsString())
                .isEqualTo("previous_response_id");
        assertThat(http.error(PATH, ASK + ",\"store\":true}").get("message").getAsString())
                .contains("keeps no answers");
        assertThat(http.error(PATH, ASK + ",\"tools\":[{\"type\":\"web_search\"}]}")
                        .get("param")
                        .getAsString())
                .isEqualTo("tools[0].type");
    }
}
