package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.server.page.NoiseAdapter;
import org.panallama.tiny.TinyModel;

class LoraTest {

    private static final String CHAT = "/v1/chat/completions";
    private static final String ASK =
            "{\"messages\":[{\"role\":\"user\",\"content\":\"法国的英文名是什么？\"}],\"temperature\":0,\"max_tokens\":10";

    @Test
    void adaptersAreSetForAllAndForOne(@TempDir Path folder) throws IOException {
        Path adapter = folder.resolve("noise.gguf");
        NoiseAdapter.write(adapter);
        try (LlamaServer server = LlamaServer.builder(TinyModel.path())
                .settings(TinyServer.settings().lora(adapter, 0).build())
                .start()) {
            Http http = new Http(server);
            JsonObject listed =
                    http.getJson("/lora-adapters").getAsJsonArray().get(0).getAsJsonObject();
            assertThat(listed.get("name").getAsString()).isEqualTo("noise");
            assertThat(listed.get("scale").getAsFloat()).isZero();
            assertThat(Http.content(http.postJson(CHAT, ASK + "}"))).isEqualTo("France");
            String changed = Http.content(http.postJson(CHAT, ASK + ",\"lora\":[{\"id\":0,\"scale\":1}]}"));
            assertThat(changed).isNotEqualTo("France");
            assertThat(Http.content(http.postJson(CHAT, ASK + "}"))).isEqualTo("France");

            assertThat(http.post("/lora-adapters", "[{\"id\":0,\"scale\":1}]").statusCode())
                    .isEqualTo(200);
            assertThat(Http.content(http.postJson(CHAT, ASK + "}"))).isEqualTo(changed);
            assertThat(Http.content(http.postJson(CHAT, ASK + ",\"lora\":[]}"))).isEqualTo("France");

            assertThat(http.error("/lora-adapters", "[{\"id\":7,\"scale\":1}]")
                            .get("param")
                            .getAsString())
                    .isEqualTo("[0].id");
            JsonArray unchanged = http.getJson("/lora-adapters").getAsJsonArray();
            assertThat(unchanged.get(0).getAsJsonObject().get("scale").getAsFloat())
                    .isEqualTo(1);
        }
    }
}
