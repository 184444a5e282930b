package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.Embedder;
import org.panallama.GenerationOptions;
import org.panallama.Model;
import org.panallama.Sampler;
import org.panallama.tiny.TinyModel;

/** Everything but chat. */
class EndpointsTest {

    private static final String PROMPT = "[INST] 法国的英文名是什么？ [/INST]";

    @RegisterExtension
    static final ServerExtension server = new ServerExtension(TinyServer.builder());

    private static final Http http = server.http();

    private static String complete(String more) {
        return "{\"prompt\":\"" + PROMPT + "\",\"temperature\":0,\"max_tokens\":20" + more + "}";
    }

    private static String text(JsonObject answer) {
        return Http.choice(answer).get("text").getAsString();
    }

    @Test
    void completionsAreTheCores() {
        String expected;
        try (Model model = Model.load(TinyModel.path());
                Context context =
                        model.newContext(ContextOptions.builder().threads(1).build());
                Sampler sampler = Sampler.greedy()) {
            expected = context.generate(
                            PROMPT,
                            sampler,
                            GenerationOptions.builder().maxTokens(20).build())
                    .text();
        }
        JsonObject answer = http.postJson("/v1/completions", complete(""));
        assertThat(text(answer)).isEqualTo(expected).contains("France");
        assertThat(text(http.postJson("/v1/completions", complete(",\"echo\":true"))))
                .isEqualTo(PROMPT + expected);
        StringBuilder streamed = new StringBuilder();
        http.stream("/v1/completions", complete(",\"stream\":true")).forEach(chunk -> streamed.append(text(chunk)));
        assertThat(streamed).hasToString(expected);
    }

    @Test
    void severalPromptsAndTheBestOfSome() {
        JsonObject two = http.postJson(
                "/v1/completions", "{\"prompt\":[\"" + PROMPT + "\",\"" + PROMPT + "\"],\"temperature\":0}");
        JsonArray choices = two.getAsJsonArray("choices");
        assertThat(choices).hasSize(2);
        assertThat(choices.get(0).getAsJsonObject().get("text"))
                .isEqualTo(choices.get(1).getAsJsonObject().get("text"));
        JsonObject best = http.postJson("/v1/completions", complete(",\"n\":1,\"best_of\":3,\"logprobs\":1"));
        assertThat(best.getAsJsonArray("choices")).hasSize(1);
        assertThat(Http.choice(best).getAsJsonObject("logprobs").getAsJsonArray("tokens"))
                .isNotEmpty();
    }

    @Test
    void tokensAreAPrompt() {
        JsonArray tokens = http.postJson(
                        "/tokenize", "{\"content\":\"" + PROMPT + "\",\"add_special\":true,\"parse_special\":true}")
                .getAsJsonArray("tokens");
        JsonObject answer =
                http.postJson("/v1/completions", "{\"prompt\":" + tokens + ",\"temperature\":0,\"max_tokens\":20}");
        assertThat(text(answer)).isEqualTo(text(http.postJson("/v1/completions", complete(""))));
        assertThat(http.postJson("/detokenize", "{\"tokens\":" + tokens + "}")
                        .get("content")
                        .getAsString())
                .contains("法国");
    }

    @Test
    void theTemplateCanBeSeen() {
        JsonObject prompt = http.postJson("/apply-template", "{\"messages\":[{\"role\":\"user\",\"content\":\"你好\"}]}");
        assertThat(prompt.get("prompt").getAsString()).isEqualTo("[INST] 你好 [/INST]");
        assertThat(prompt.getAsJsonArray("tokens")).hasSize(prompt.get("count").getAsInt());
    }

    @Test
    void aGrammarHolds() {
        JsonObject answer =
                http.postJson("/v1/completions", complete(",\"grammar\":\"root ::= \\\"yes\\\" | \\\"no\\\"\""));
        assertThat(text(answer)).isIn("yes", "no");
    }

    @Test
    void embeddingsAreTheCores() {
        float[] expected;
        try (Model model = Model.load(TinyModel.path());
                Embedder embedder = Embedder.builder(model).threads(1).build()) {
            expected = embedder.embed("你好");
        }
        JsonArray data = http.postJson("/v1/embeddings", "{\"input\":[\"你好\",\"hello\"],\"model\":\"x\"}")
                .getAsJsonArray("data");
        assertThat(data).hasSize(2);
        List<Float> floats = data.get(0).getAsJsonObject().getAsJsonArray("embedding").asList().stream()
                .map(value -> value.getAsFloat())
                .toList();
        assertThat(floats).hasSize(expected.length);
        String encoded = http.postJson("/v1/embeddings", "{\"input\":\"你好\",\"encoding_format\":\"base64\"}")
                .getAsJsonArray("data")
                .get(0)
                .getAsJsonObject()
                .get("embedding")
                .getAsString();
        float[] decoded = new float[expected.length];
        ByteBuffer.wrap(Base64.getDecoder().decode(encoded))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer()
                .get(decoded);
        assertThat(decoded).containsExactly(expected);
        JsonObject tokens = http.postJson("/tokenize", "{\"content\":\"你好\"}");
        JsonArray ofTokens = http.postJson(
                        "/v1/embeddings", "{\"input\":[" + tokens.get("tokens") + "],\"dimensions\":2}")
                .getAsJsonArray("data");
        assertThat(ofTokens.get(0).getAsJsonObject().getAsJsonArray("embedding"))
                .hasSize(2);
    }

    @Test
    void whatTheModelCannotDoIsSaid() {
        assertThat(http.error("/v1/rerank", "{\"query\":\"a\",\"documents\":[\"b\"]}")
                        .get("message")
                        .getAsString())
                .contains("classification head");
        assertThat(http.error("/infill", "{\"input_prefix\":\"a\",\"input_suffix\":\"b\"}")
                        .get("message")
                        .getAsString())
                .contains("fill gaps");
    }

    @Test
    void modelsAndState() {
        JsonObject models = http.getJson("/v1/models").getAsJsonObject();
        String id =
                models.getAsJsonArray("data").get(0).getAsJsonObject().get("id").getAsString();
        assertThat(id).isEqualTo(ModelStore.name(TinyModel.path()));
        assertThat(http.getJson("/v1/models/" + id).getAsJsonObject().get("id").getAsString())
                .isEqualTo(id);
        assertThat(http.get("/v1/models/other").statusCode()).isEqualTo(404);
        assertThat(http.getJson("/health").getAsJsonObject().get("status").getAsString())
                .isEqualTo("ok");
        assertThat(http.getJson("/slots").getAsJsonArray()).hasSize(4);
        assertThat(http.getJson("/openapi.json")
                        .getAsJsonObject()
                        .get("openapi")
                        .getAsString())
                .startsWith("3.");
        http.postJson("/v1/completions", complete(""));
        HttpResponse<String> metrics = http.get("/metrics");
        assertThat(metrics.headers().firstValue("Content-Type").orElseThrow()).startsWith("text/plain");
        assertThat(metrics.body())
                .contains("panallama_time_to_first_token_seconds_bucket", "panallama_generated_tokens_total")
                .contains("panallama_kv_tokens", "panallama_requests_waiting");
    }

    @Test
    void otherPathsAndMethodsAreErrors() {
        assertThat(http.post("/v1/nothing", "{}").statusCode()).isEqualTo(404);
        HttpResponse<String> wrong = http.get("/v1/chat/completions");
        assertThat(wrong.statusCode()).isEqualTo(405);
        assertThat(wrong.headers().firstValue("Allow")).hasValue("POST");
        assertThat(http.get("/../../etc/passwd").statusCode()).isIn(400, 404);
    }

    @Test
    void theDescriptionNamesEveryPath() {
        JsonObject paths = http.getJson("/openapi.json").getAsJsonObject().getAsJsonObject("paths");
        for (String path : paths.keySet()) {
            JsonObject methods = paths.getAsJsonObject(path);
            int status = methods.has("post")
                    ? http.post(path, "[]").statusCode()
                    : http.get(path.replace("{model}", "x")).statusCode();
            // There, but for the one that names a model; a list is the body of no request but one.
            assertThat(status).as(path).isIn(200, path.contains("{") ? 404 : 400);
        }
        assertThat(paths.keySet())
                .contains("/v1/chat/completions", "/v1/responses", "/lora-adapters")
                .hasSize(16);
    }
}
