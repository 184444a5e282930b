package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.panallama.tiny.TinyModel;

/** OpenAI's client for JavaScript, and curl. */
class NpmClientTest {

    @Test
    void theNpmPackageWorks() throws Exception {
        try (LlamaServer server = TinyServer.withTools().start()) {
            ProcessBuilder builder = new ProcessBuilder("node", "client.mjs")
                    .directory(Path.of("target", "npm-client").toFile())
                    .redirectError(ProcessBuilder.Redirect.INHERIT);
            builder.environment().put("BASE_URL", server.uri() + "/v1");
            builder.environment().put("TOKENS", "{" + TinyServer.braces(new Http(server)) + "}");
            JsonObject result = JsonParser.parseString(run(builder)).getAsJsonObject();
            assertThat(result.get("chat").getAsString()).isNotEmpty();
            assertThat(result.get("streamed")).isEqualTo(result.get("chat"));
            assertThat(result.get("usage")).isEqualTo(result.get("expectedUsage"));
            JsonObject call = result.getAsJsonObject("call");
            assertThat(call.get("name").getAsString()).isEqualTo("weather");
            assertThat(JsonParser.parseString(call.get("arguments").getAsString())
                            .getAsJsonObject()
                            .get("city")
                            .getAsString())
                    .isIn("Paris", "Rome");
            assertThat(result.getAsJsonObject("structured").get("sure").isJsonPrimitive())
                    .isTrue();
            assertThat(result.get("response")).isEqualTo(result.get("chat"));
            assertThat(result.get("responseStreamed")).isEqualTo(result.get("chat"));
            assertThat(result.getAsJsonArray("embeddings")).hasSize(2);
            assertThat(result.getAsJsonArray("embeddings").get(0).getAsInt()).isEqualTo(256);
            assertThat(result.getAsJsonArray("models").get(0).getAsString())
                    .isEqualTo(ModelStore.name(TinyModel.path()));
            JsonObject error = result.getAsJsonObject("error");
            assertThat(error.get("name").getAsString()).isEqualTo("BadRequestError");
            assertThat(error.get("param").getAsString()).isEqualTo("temperature");
        }
    }

    @Test
    void curlWorks() throws Exception {
        try (LlamaServer server = TinyServer.builder().start()) {
            String answer = run(
                    new ProcessBuilder(
                            "curl",
                            "-sS",
                            "--no-buffer",
                            server.uri() + "/v1/chat/completions",
                            "-H",
                            "Content-Type: application/json",
                            "-d",
                            "{\"messages\":[{\"role\":\"user\",\"content\":\"法国的英文名是什么？\"}],\"temperature\":0,\"stream\":true}"));
            assertThat(answer).contains("\"Fr").endsWith("data: [DONE]\n\n");
        }
    }

    private static String run(ProcessBuilder builder) throws IOException, InterruptedException {
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(out).isZero();
        return out;
    }
}
