package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.panallama.ChatMessage;
import org.panallama.ChatRequest;
import org.panallama.ChatTemplate;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.GenerationOptions;
import org.panallama.Model;
import org.panallama.Sampler;
import org.panallama.tiny.TinyModel;

class ChatTest {

    private static final String CHAT = "/v1/chat/completions";
    private static final String QUESTION = "法国的英文名是什么？";

    @RegisterExtension
    static final ServerExtension server = new ServerExtension(TinyServer.builder());

    private static final Http http = server.http();

    private static String ask(String more) {
        return "{\"messages\":[{\"role\":\"user\",\"content\":\"" + QUESTION
                + "\"}],\"temperature\":0,\"max_tokens\":40" + more + "}";
    }

    @Test
    void answersAsTheCoreDoes() {
        String expected;
        try (Model model = Model.load(TinyModel.path());
                Context context =
                        model.newContext(ContextOptions.builder().threads(1).build());
                Sampler sampler = Sampler.greedy()) {
            int[] prompt = ChatTemplate.of(model)
                    .prompt(ChatRequest.builder(List.of(ChatMessage.user(QUESTION)))
                            .build())
                    .tokens(model.vocab());
            expected = context.generate(
                            prompt,
                            sampler,
                            GenerationOptions.builder()
                                    .maxTokens(40)
                                    .stripLeadingSpace(true)
                                    .build())
                    .text();
        }
        JsonObject answer = http.postJson(CHAT, ask(",\"model\":\"gpt-4o\""));
        assertThat(Http.content(answer)).isEqualTo(expected).isEqualTo("France");
        assertThat(answer.get("object").getAsString()).isEqualTo("chat.completion");
        assertThat(answer.get("model").getAsString()).isEqualTo(ModelStore.name(TinyModel.path()));
        assertThat(Http.choice(answer).get("finish_reason").getAsString()).isEqualTo("stop");
        JsonObject usage = answer.getAsJsonObject("usage");
        assertThat(usage.get("total_tokens").getAsInt())
                .isEqualTo(usage.get("prompt_tokens").getAsInt()
                        + usage.get("completion_tokens").getAsInt());
    }

    @Test
    void aStreamIsTheSameAnswerInPieces() {
        JsonObject whole = http.postJson(CHAT, ask(",\"logprobs\":true,\"top_logprobs\":2"));
        List<JsonObject> chunks = http.stream(
                CHAT,
                ask(
                        ",\"logprobs\":true,\"top_logprobs\":2,\"stream\":true,\"stream_options\":{\"include_usage\":true}"));
        StringBuilder text = new StringBuilder();
        JsonArray logprobs = new JsonArray();
        for (JsonObject chunk : chunks.subList(0, chunks.size() - 1)) {
            JsonObject choice = Http.choice(chunk);
            JsonObject delta = choice.getAsJsonObject("delta");
            if (delta.has("content")) {
                text.append(delta.get("content").getAsString());
            }
            if (choice.get("logprobs").isJsonObject()) {
                logprobs.addAll(choice.getAsJsonObject("logprobs").getAsJsonArray("content"));
            }
        }
        assertThat(text).hasToString(Http.content(whole));
        JsonObject whole0 = Http.choice(whole).getAsJsonObject("logprobs");
        assertThat(tokens(logprobs)).isEqualTo(tokens(whole0.getAsJsonArray("content")));
        assertThat(chunks.subList(0, chunks.size() - 1))
                .allMatch(chunk -> chunk.get("usage").isJsonNull());
        assertThat(chunks.get(chunks.size() - 1).getAsJsonObject("usage").get("completion_tokens"))
                .isEqualTo(whole.getAsJsonObject("usage").get("completion_tokens"));
        JsonObject last = Http.choice(chunks.get(chunks.size() - 2));
        assertThat(last.get("finish_reason").getAsString()).isEqualTo("stop");
        JsonObject token = logprobs.get(0).getAsJsonObject();
        assertThat(token.getAsJsonArray("top_logprobs")).hasSize(2);
        assertThat(token.get("logprob").getAsDouble()).isNegative();
    }

    private static List<String> tokens(JsonArray logprobs) {
        return logprobs.asList().stream()
                .map(token -> token.getAsJsonObject().get("token").getAsString())
                .toList();
    }

    @Test
    void severalAnswersHaveSeedsOfTheirOwn() {
        String more = ",\"n\":3,\"seed\":7,\"temperature\":8,\"top_k\":0,\"top_p\":1,\"min_p\":0,\"max_tokens\":12";
        String body = ask("").replace(",\"temperature\":0,\"max_tokens\":40", more);
        // One after the other, and with the prompt in the cache: what is computed together differs in its last bits.
        try (LlamaServer alone = LlamaServer.builder(TinyModel.path())
                .settings(TinyServer.settings().parallel(1).build())
                .start()) {
            Http one = new Http(alone);
            one.postJson(CHAT, ask(""));
            JsonArray choices = one.postJson(CHAT, body).getAsJsonArray("choices");
            assertThat(choices).hasSize(3);
            assertThat(choices).isEqualTo(one.postJson(CHAT, body).getAsJsonArray("choices"));
            assertThat(choices.asList().stream()
                            .map(choice -> choice.getAsJsonObject().get("message"))
                            .distinct())
                    .hasSizeGreaterThan(1);
        }
    }

    @Test
    void stopAndLengthEndAnAnswer() {
        JsonObject stopped = http.postJson(CHAT, ask(",\"stop\":[\"an\"]"));
        assertThat(Http.content(stopped)).isEqualTo("Fr");
        JsonObject cut = http.postJson(CHAT, ask(",\"max_completion_tokens\":1"));
        assertThat(Http.choice(cut).get("finish_reason").getAsString()).isEqualTo("length");
        assertThat(cut.getAsJsonObject("usage").get("completion_tokens").getAsInt())
                .isEqualTo(1);
    }

    @Test
    void aBiasForbidsAToken() {
        JsonObject first = http.postJson(CHAT, ask(",\"logprobs\":true"));
        int token = Http.choice(first)
                .getAsJsonObject("logprobs")
                .getAsJsonArray("content")
                .get(0)
                .getAsJsonObject()
                .get("id")
                .getAsInt();
        JsonObject other = http.postJson(CHAT, ask(",\"logit_bias\":{\"" + token + "\":-100}"));
        assertThat(Http.content(other)).isNotEqualTo("France");
    }

    @Test
    void aStrictSchemaHolds() {
        String schema = "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"maxLength\":8},\"rank\":"
                + "{\"enum\":[\"high\",\"low\"]}},\"required\":[\"name\",\"rank\"],\"additionalProperties\":false}";
        String format =
                ",\"max_tokens\":100,\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\","
                        + "\"strict\":true,\"schema\":" + schema + "}}";
        JsonObject answer = http.postJson(CHAT, ask("").replace(",\"max_tokens\":40", format));
        JsonObject read = JsonParser.parseString(Http.content(answer)).getAsJsonObject();
        assertThat(read.keySet()).containsExactly("name", "rank");
        assertThat(read.get("rank").getAsString()).isIn("high", "low");
        JsonObject error = http.error(
                CHAT,
                ask(",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"x\",\"strict\":true,"
                        + "\"schema\":{\"type\":\"string\",\"contentEncoding\":\"base64\"}}}"));
        assertThat(error.get("status").getAsInt()).isEqualTo(400);
        assertThat(error.get("param").getAsString()).isEqualTo("response_format.json_schema.schema");
    }

    @Test
    void aJsonObjectIsOne() {
        JsonObject answer = http.postJson(
                CHAT,
                ask(",\"response_format\":{\"type\":\"json_object\"},\"seed\":3")
                        .replace("\"max_tokens\":40", "\"max_tokens\":200"));
        String content = Http.content(answer);
        assertThat(content).startsWith("{");
    }
}
