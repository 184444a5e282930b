package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.openai.client.OpenAIClient;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.core.JsonValue;
import com.openai.core.http.StreamResponse;
import com.openai.errors.BadRequestException;
import com.openai.helpers.ChatCompletionAccumulator;
import com.openai.models.FunctionDefinition;
import com.openai.models.FunctionParameters;
import com.openai.models.chat.completions.ChatCompletion;
import com.openai.models.chat.completions.ChatCompletionChunk;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.chat.completions.ChatCompletionMessage;
import com.openai.models.chat.completions.ChatCompletionMessageFunctionToolCall;
import com.openai.models.chat.completions.ChatCompletionToolChoiceOption;
import com.openai.models.chat.completions.ChatCompletionToolMessageParam;
import com.openai.models.chat.completions.StructuredChatCompletionCreateParams;
import com.openai.models.embeddings.EmbeddingCreateParams;
import com.openai.models.responses.Response;
import com.openai.models.responses.ResponseCreateParams;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** OpenAI's client for Java. */
class OpenAiJavaTest {

    @RegisterExtension
    static final ServerExtension server = new ServerExtension(TinyServer.builder());

    private static OpenAIClient client;

    /** Arguments of a tool. */
    public static final class City {

        public String city;
    }

    /** A structured answer. */
    public static final class Verdict {

        public boolean sure;
    }

    @BeforeAll
    static void start() {
        client = OpenAIOkHttpClient.builder()
                .baseUrl(server.uri() + "/v1")
                .apiKey("none")
                .maxRetries(0)
                .build();
    }

    @AfterAll
    static void stop() {
        client.close();
    }

    private static ChatCompletionCreateParams.Builder question() {
        return ChatCompletionCreateParams.builder()
                .model("gpt-4o")
                .addUserMessage("法国的英文名是什么？")
                .temperature(0)
                .maxCompletionTokens(40);
    }

    @Test
    void chatAndItsStream() {
        ChatCompletion whole = client.chat().completions().create(question().build());
        String text = whole.choices().get(0).message().content().orElseThrow();
        assertThat(text).isNotEmpty();
        whole.validate();
        assertThat(whole.usage().orElseThrow().totalTokens()).isPositive();
        ChatCompletionAccumulator accumulator = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(question().build())) {
            stream.stream().forEach(accumulator::accumulate);
        }
        assertThat(accumulator.chatCompletion().choices().get(0).message().content())
                .hasValue(text);
    }

    @Test
    void tools() {
        FunctionDefinition weather = FunctionDefinition.builder()
                .name("weather")
                .parameters(FunctionParameters.builder()
                        .putAdditionalProperty("type", JsonValue.from("object"))
                        .putAdditionalProperty(
                                "properties",
                                JsonValue.from(
                                        Map.of("city", Map.of("type", "string", "enum", List.of("Paris", "Rome")))))
                        .putAdditionalProperty("required", JsonValue.from(List.of("city")))
                        .build())
                .build();
        ChatCompletionCreateParams params = question()
                .maxCompletionTokens(200)
                .addFunctionTool(weather)
                .toolChoice(ChatCompletionToolChoiceOption.Auto.REQUIRED)
                .parallelToolCalls(false)
                .build();
        ChatCompletionMessage message =
                client.chat().completions().create(params).choices().get(0).message();
        ChatCompletionMessageFunctionToolCall call =
                message.toolCalls().orElseThrow().get(0).asFunction();
        assertThat(call.function().name()).isEqualTo("weather");
        assertThat(call.function().arguments(City.class).city).isIn("Paris", "Rome");

        ChatCompletionAccumulator accumulator = ChatCompletionAccumulator.create();
        try (StreamResponse<ChatCompletionChunk> stream =
                client.chat().completions().createStreaming(params)) {
            stream.stream().forEach(accumulator::accumulate);
        }
        ChatCompletion.Choice streamed = accumulator.chatCompletion().choices().get(0);
        assertThat(streamed.finishReason()).isEqualTo(ChatCompletion.Choice.FinishReason.TOOL_CALLS);
        assertThat(streamed.message()
                        .toolCalls()
                        .orElseThrow()
                        .get(0)
                        .asFunction()
                        .function())
                .isEqualTo(call.function());

        ChatCompletion next = client.chat()
                .completions()
                .create(question()
                        .addFunctionTool(weather)
                        .addMessage(message)
                        .addMessage(ChatCompletionToolMessageParam.builder()
                                .toolCallId(call.id())
                                .content("sunny")
                                .build())
                        .build());
        assertThat(next.choices().get(0).message().content()).isPresent();
    }

    @Test
    void structuredOutput() {
        StructuredChatCompletionCreateParams<Verdict> params =
                question().responseFormat(Verdict.class).build();
        assertThat(client.chat()
                        .completions()
                        .create(params)
                        .choices()
                        .get(0)
                        .message()
                        .content())
                .hasValueSatisfying(verdict -> assertThat(verdict).isInstanceOf(Verdict.class));
    }

    @Test
    void responses() {
        Response response = client.responses()
                .create(ResponseCreateParams.builder()
                        .model("gpt-4o")
                        .input("法国的英文名是什么？")
                        .temperature(0)
                        .maxOutputTokens(40)
                        .build());
        assertThat(response.output()
                        .get(0)
                        .asMessage()
                        .content()
                        .get(0)
                        .asOutputText()
                        .text())
                .isNotEmpty();
        response.validate();
    }

    @Test
    void embeddings() {
        assertThat(client.embeddings()
                        .create(EmbeddingCreateParams.builder()
                                .model("text-embedding-3-small")
                                .inputOfArrayOfStrings(List.of("你好", "hello"))
                                .build())
                        .data())
                .hasSize(2)
                .allSatisfy(item -> assertThat(item.embedding()).hasSize(256));
    }

    @Test
    void errorsAreItsOwn() {
        assertThatThrownBy(() -> client.chat()
                        .completions()
                        .create(question().temperature(-1).build()))
                .isInstanceOf(BadRequestException.class)
                .hasMessageContaining("temperature");
    }
}
