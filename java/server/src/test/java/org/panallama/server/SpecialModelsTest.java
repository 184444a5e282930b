package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.Model;
import org.panallama.Pooling;
import org.panallama.Reranker;
import org.panallama.SmallBert;
import org.panallama.gguf.GgufEditor;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufValue;
import org.panallama.tiny.TinyModel;

/** What the tiny model cannot: rank documents, embed by an encoder, fill gaps, think. */
class SpecialModelsTest {

    private static final String CHAT = "/v1/chat/completions";
    private static final String QUESTION = "\"messages\":[{\"role\":\"user\",\"content\":\"法国\"}]";
    private static final String THOUGHT = ",\"grammar\":\"root ::= \\\"Let me see.</think>\\\" [a-z]{3}\"";
    private static final List<String> DOCUMENTS = List.of("one two", "a b c", "three", "zebra");

    @TempDir
    static Path folder;

    @Test
    void documentsAreRanked() throws IOException {
        Path file = SmallBert.write(folder.resolve("rank.gguf"), Pooling.RANK);
        float[] expected;
        try (Model model = Model.load(file);
                Reranker reranker = Reranker.builder(model).threads(1).build()) {
            expected = reranker.scores("two", DOCUMENTS);
        }
        try (LlamaServer server = LlamaServer.builder(file)
                .settings(TinyServer.settings().build())
                .start()) {
            Http http = new Http(server);
            String body = "{\"query\":\"two\",\"documents\":[\"one two\",{\"text\":\"a b c\"},\"three\",\"zebra\"]";
            JsonObject answer = http.postJson("/v1/rerank", body + "}");
            JsonArray results = answer.getAsJsonArray("results");
            assertThat(results).hasSize(4);
            double before = Double.POSITIVE_INFINITY;
            for (JsonElement result : results) {
                int index = result.getAsJsonObject().get("index").getAsInt();
                float score = result.getAsJsonObject().get("relevance_score").getAsFloat();
                assertThat(score).isEqualTo(expected[index]).isLessThanOrEqualTo((float) before);
                before = score;
            }
            assertThat(answer.getAsJsonObject("usage").get("total_tokens").getAsInt())
                    .isPositive();
            JsonArray best = http.postJson("/v1/rerank", body + ",\"top_n\":1,\"return_documents\":true}")
                    .getAsJsonArray("results");
            assertThat(best).hasSize(1);
            JsonObject first = best.get(0).getAsJsonObject();
            assertThat(first.getAsJsonObject("document").get("text").getAsString())
                    .isEqualTo(DOCUMENTS.get(first.get("index").getAsInt()));
            assertThat(http.error("/v1/rerank", "{\"query\":\"two\",\"documents\":[\"" + "a ".repeat(100) + "\"]}")
                            .get("param")
                            .getAsString())
                    .isEqualTo("documents");
            assertThat(http.error("/v1/completions", "{\"prompt\":\"a\"}")
                            .get("message")
                            .getAsString())
                    .contains("generates no text");
            assertThat(http.error("/v1/embeddings", "{\"input\":\"a\"}")
                            .get("message")
                            .getAsString())
                    .contains("reranker");
        }
    }

    @Test
    void anEncoderEmbedsTextsAndTokens() throws IOException {
        Path file = SmallBert.write(folder.resolve("embed.gguf"), Pooling.MEAN);
        try (LlamaServer server = LlamaServer.builder(file)
                .settings(TinyServer.settings().build())
                .start()) {
            Http http = new Http(server);
            JsonArray tokens = http.postJson("/tokenize", "{\"content\":\"one two\",\"add_special\":true}")
                    .getAsJsonArray("tokens");
            JsonObject ofTokens = http.postJson("/v1/embeddings", "{\"input\":" + tokens + "}");
            assertThat(ofTokens).isEqualTo(http.postJson("/v1/embeddings", "{\"input\":\"one two\"}"));
            assertThat(ofTokens.getAsJsonObject("usage").get("prompt_tokens").getAsInt())
                    .isEqualTo(tokens.size());
        }
    }

    @Test
    void gapsAreFilled() throws IOException {
        Path file = folder.resolve("infill.gguf");
        GgufEditor editor = GgufEditor.of(GgufFile.open(TinyModel.path()));
        List<String> kinds = List.of("pre", "suf", "mid");
        for (int i = 0; i < kinds.size(); i++) {
            editor.set("tokenizer.ggml.fim_" + kinds.get(i) + "_token_id", GgufValue.uint32(300 + i));
        }
        editor.writeTo(file);
        try (LlamaServer server = LlamaServer.builder(file)
                .settings(TinyServer.settings().build())
                .start()) {
            Http http = new Http(server);
            String body = "{\"input_prefix\":\"法国的\",\"prompt\":\"英文名\",\"input_suffix\":\"是什么？\",\"input_extra\":"
                    + "[{\"filename\":\"a.txt\",\"text\":\"中国\"}],\"temperature\":0,\"n_predict\":6";
            JsonObject answer = http.postJson("/infill", body + "}");
            assertThat(answer.get("tokens_predicted").getAsInt()).isBetween(1, 6);
            StringBuilder streamed = new StringBuilder();
            http.stream("/infill", body + ",\"stream\":true}")
                    .forEach(chunk -> streamed.append(chunk.get("content").getAsString()));
            assertThat(streamed).hasToString(answer.get("content").getAsString());
            // The same by OpenAI's name for it, with the tokens that the prompt must have.
            String expected = http.postJson(
                            "/v1/completions",
                            "{\"prompt\":[1,300," + tokens(http, "法国的英文名") + ",301," + tokens(http, "是什么？")
                                    + ",302],\"temperature\":0,\"max_tokens\":6}")
                    .getAsJsonArray("choices")
                    .toString();
            assertThat(http.postJson(
                                    "/v1/completions",
                                    "{\"prompt\":\"法国的英文名\",\"suffix\":\"是什么？\",\"temperature\":0,\"max_tokens\":6}")
                            .getAsJsonArray("choices"))
                    .hasToString(expected);
            assertThat(http.error("/infill", "{\"input_prefix\":\"a\"}")
                            .get("param")
                            .getAsString())
                    .isEqualTo("input_suffix");
        }
    }

    private static String tokens(Http http, String text) {
        String list = http.postJson("/tokenize", "{\"content\":\"" + text + "\",\"parse_special\":false}")
                .getAsJsonArray("tokens")
                .toString();
        return list.substring(1, list.length() - 1);
    }

    @Test
    void thoughtsAreToldApart() {
        String template = "{% for message in messages %}<|{{ message.role }}|>"
                + "{% if message.role == 'assistant' %}{{ message.content.split('</think>')[-1] }}{% else %}{{ message.content }}"
                + "{% endif %}{% endfor %}{% if add_generation_prompt %}<|assistant|><think>{% endif %}";
        try (LlamaServer server = LlamaServer.builder(TinyModel.path())
                .settings(TinyServer.settings().chatTemplate(template).build())
                .start()) {
            Http http = new Http(server);
            JsonObject answer = http.postJson(CHAT, "{" + QUESTION + THOUGHT + "}");
            JsonObject message = Http.choice(answer).getAsJsonObject("message");
            assertThat(message.get("reasoning_content").getAsString()).isEqualTo("Let me see.");
            assertThat(message.get("content").getAsString()).matches("[a-z]{3}");
            assertThat(answer.getAsJsonObject("usage")
                            .getAsJsonObject("completion_tokens_details")
                            .get("reasoning_tokens")
                            .getAsInt())
                    .isPositive();
            StringBuilder thoughts = new StringBuilder();
            StringBuilder content = new StringBuilder();
            for (JsonObject chunk : http.stream(CHAT, "{" + QUESTION + THOUGHT + ",\"stream\":true}")) {
                JsonObject delta = Http.choice(chunk).getAsJsonObject("delta");
                thoughts.append(text(delta, "reasoning_content"));
                content.append(text(delta, "content"));
            }
            assertThat(thoughts).hasToString("Let me see.");
            assertThat(content.toString()).matches("[a-z]{3}");

            JsonArray output = http.postJson("/v1/responses", "{\"input\":\"法国\"" + THOUGHT + "}")
                    .getAsJsonArray("output");
            assertThat(output.get(0).getAsJsonObject().get("type").getAsString())
                    .isEqualTo("reasoning");
            assertThat(output.get(1).getAsJsonObject().get("type").getAsString())
                    .isEqualTo("message");
            JsonObject raw = http.postJson(CHAT, "{" + QUESTION + THOUGHT + ",\"reasoning_format\":\"none\"}");
            assertThat(Http.content(raw)).contains("Let me see.</think>");
        }
    }

    private static String text(JsonObject delta, String name) {
        return delta.has(name) ? delta.get(name).getAsString() : "";
    }
}
