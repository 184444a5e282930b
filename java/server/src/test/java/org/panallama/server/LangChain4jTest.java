package org.panallama.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiEmbeddingModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** LangChain4j's client for OpenAI's API. */
class LangChain4jTest {

    private static final String QUESTION = "法国的英文名是什么？";

    /** Its own is a minute, which a machine that has other things to do may take. */
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    @RegisterExtension
    static final ServerExtension server = new ServerExtension(TinyServer.withTools());

    private static OpenAiChatModel.OpenAiChatModelBuilder model() {
        return OpenAiChatModel.builder()
                .baseUrl(server.uri() + "/v1")
                .apiKey("none")
                .timeout(PATIENCE)
                .modelName("gpt-4o")
                .temperature(0.0)
                .maxTokens(40)
                .maxRetries(0);
    }

    @Test
    void chatAndItsStream() {
        String whole = model().build().chat(QUESTION);
        assertThat(whole).isNotEmpty();
        CompletableFuture<ChatResponse> streamed = new CompletableFuture<>();
        OpenAiStreamingChatModel.builder()
                .baseUrl(server.uri() + "/v1")
                .apiKey("none")
                .timeout(PATIENCE)
                .modelName("gpt-4o")
                .temperature(0.0)
                .maxTokens(40)
                .build()
                .chat(QUESTION, new StreamingChatResponseHandler() {
                    @Override
                    public void onPartialResponse(String partial) {
                        // The whole comes at the end.
                    }

                    @Override
                    public void onCompleteResponse(ChatResponse response) {
                        streamed.complete(response);
                    }

                    @Override
                    public void onError(Throwable error) {
                        streamed.completeExceptionally(error);
                    }
                });
        assertThat(streamed.join().aiMessage().text()).isEqualTo(whole);
        assertThat(streamed.join().tokenUsage().totalTokenCount()).isPositive();
    }

    @Test
    void tools() {
        Map<String, Integer> bias = new HashMap<>();
        for (String pair : TinyServer.braces(server.http()).split(",")) {
            bias.put(pair.split(":")[0].replace("\"", ""), 100);
        }
        ChatResponse response = model().maxTokens(200)
                .logitBias(bias)
                .build()
                .chat(ChatRequest.builder()
                        .messages(UserMessage.from(QUESTION))
                        .toolSpecifications(ToolSpecification.builder()
                                .name("weather")
                                .parameters(JsonObjectSchema.builder()
                                        .addEnumProperty("city", List.of("Paris", "Rome"))
                                        .required("city")
                                        .build())
                                .build())
                        .toolChoice(ToolChoice.REQUIRED)
                        .build());
        assertThat(response.aiMessage().toolExecutionRequests().get(0)).satisfies(call -> {
            assertThat(call.name()).isEqualTo("weather");
            assertThat(call.arguments()).containsAnyOf("Paris", "Rome");
        });
    }

    @Test
    void structuredOutput() {
        ChatResponse response = model().strictJsonSchema(true)
                .build()
                .chat(ChatRequest.builder()
                        .messages(UserMessage.from(QUESTION))
                        .responseFormat(ResponseFormat.builder()
                                .type(ResponseFormatType.JSON)
                                .jsonSchema(JsonSchema.builder()
                                        .name("verdict")
                                        .rootElement(JsonObjectSchema.builder()
                                                .addBooleanProperty("sure")
                                                .required("sure")
                                                .build())
                                        .build())
                                .build())
                        .build());
        assertThat(response.aiMessage().text().replaceAll("\\s", "")).matches("\\{\"sure\":(true|false)}");
    }

    @Test
    void embeddings() {
        OpenAiEmbeddingModel model = OpenAiEmbeddingModel.builder()
                .baseUrl(server.uri() + "/v1")
                .apiKey("none")
                .timeout(PATIENCE)
                .modelName("text-embedding-3-small")
                .maxRetries(0)
                .build();
        assertThat(model.embed("你好").content().vector()).hasSize(256);
    }
}
