package org.panallama.server;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.panallama.ChatAnswer;
import org.panallama.ChatRequest;
import org.panallama.ToolCall;
import org.panallama.engine.Result;

/** {@code POST /v1/responses}. */
final class ResponsesEndpoint implements Endpoint {

    static final String COMPLETED = "completed";
    static final String INCOMPLETE = "incomplete";

    private final Service service;

    ResponsesEndpoint(Service service) {
        this.service = service;
    }

    @Override
    public void handle(Exchange exchange) {
        Fields fields = exchange.json();
        try (ModelStore.Lease lease = service.model(fields)) {
            ServedModel served = lease.model;
            ChatRequest conversation = ResponseFields.conversation(fields);
            Sampling sampling =
                    new Sampling(fields, served, List.of("max_output_tokens"), Integer.MAX_VALUE, service.deadline());
            int logprobs = ResponseFields.logprobs(fields);
            boolean stream = fields.flag("stream", false);
            Head head = new Head(Ids.create("resp_"), Instant.now().getEpochSecond(), served, fields.json());
            try (ChatGeneration generation =
                    new ChatGeneration(exchange, service, served, head.id, conversation, sampling, 1, logprobs)) {
                if (stream) {
                    new ResponseEvents(new EventStream(exchange), head, generation).run();
                } else {
                    Result result = generation.answers.all().get(0);
                    ChatAnswer answer = generation.reading(0).whole(result.text(), result.finishReason());
                    exchange.send(head.ended(output(head, answer, result), generation, result));
                }
            }
        }
    }

    /** What a response says about itself and repeats of its request. */
    record Head(String id, long created, ServedModel served, JsonObject request) {

        JsonObject begun() {
            return json("in_progress", new JsonArray(), JsonNull.INSTANCE, null);
        }

        JsonObject ended(JsonArray output, ChatGeneration generation, Result result) {
            String status = status(result);
            JsonObject json = json(
                    status,
                    output,
                    usage(result, generation.reasoningTokens(served.vocab())),
                    status.equals(INCOMPLETE) ? "max_output_tokens" : null);
            json.add("timings", AnswerJson.timings(result));
            return json;
        }

        private JsonObject json(String status, JsonArray output, JsonElement usage, @Nullable String incomplete) {
            JsonObject text = new JsonObject();
            text.add("format", Json.object("type", "text"));
            return Json.object(
                    "id",
                    id,
                    "object",
                    "response",
                    "created_at",
                    created,
                    "status",
                    status,
                    "background",
                    false,
                    "error",
                    null,
                    "incomplete_details",
                    incomplete == null ? null : Json.object("reason", incomplete),
                    "instructions",
                    repeated("instructions", JsonNull.INSTANCE),
                    "max_output_tokens",
                    repeated("max_output_tokens", JsonNull.INSTANCE),
                    "model",
                    served.name,
                    "output",
                    output,
                    "parallel_tool_calls",
                    repeated("parallel_tool_calls", new JsonPrimitive(true)),
                    "previous_response_id",
                    null,
                    "reasoning",
                    repeated("reasoning", Json.object("effort", null, "summary", null)),
                    "store",
                    false,
                    "temperature",
                    repeated("temperature", JsonNull.INSTANCE),
                    "text",
                    repeated("text", text),
                    "tool_choice",
                    repeated("tool_choice", new JsonPrimitive("auto")),
                    "tools",
                    repeated("tools", new JsonArray()),
                    "top_p",
                    repeated("top_p", JsonNull.INSTANCE),
                    "truncation",
                    "disabled",
                    "usage",
                    usage,
                    "metadata",
                    repeated("metadata", new JsonObject()));
        }

        private JsonElement repeated(String name, JsonElement usual) {
            JsonElement given = request.get(name);
            return given == null || given.isJsonNull() ? usual : given;
        }

        private static JsonObject usage(Result result, int reasoningTokens) {
            int input = result.usage().promptTokens();
            int output = result.usage().generatedTokens();
            return Json.object(
                    "input_tokens",
                    input,
                    "input_tokens_details",
                    Json.object(
                            "cached_tokens",
                            result.usage().reusedTokens(),
                            "cache_write_tokens",
                            result.timings().promptTokens()),
                    "output_tokens",
                    output,
                    "output_tokens_details",
                    Json.object("reasoning_tokens", reasoningTokens),
                    "total_tokens",
                    input + output);
        }
    }

    private static JsonArray output(Head head, ChatAnswer answer, Result result) {
        JsonArray output = new JsonArray();
        String last = status(result);
        if (!answer.reasoning().isEmpty()) {
            output.add(reasoning(Ids.create("rs_"), answer.reasoning()));
        }
        if (!answer.content().isEmpty() || answer.toolCalls().isEmpty()) {
            JsonArray logprobs = AnswerJson.tokens(head.served.vocab(), result.logprobs());
            String status = answer.toolCalls().isEmpty() ? last : COMPLETED;
            output.add(message(Ids.create("msg_"), status, textPart(answer.content(), logprobs)));
        }
        List<ToolCall> calls = answer.toolCalls();
        for (int i = 0; i < calls.size(); i++) {
            output.add(call(Ids.create("fc_"), i + 1 < calls.size() ? COMPLETED : last, calls.get(i)));
        }
        return output;
    }

    /** Of the whole, and of the last part of it. */
    static String status(Result result) {
        return AnswerJson.finishReason(result.finishReason(), false).equals("length") ? INCOMPLETE : COMPLETED;
    }

    static JsonObject reasoning(String id, @Nullable String text) {
        JsonArray content = new JsonArray();
        if (text != null) {
            content.add(Json.object("type", "reasoning_text", "text", text));
        }
        return Json.object("id", id, "type", "reasoning", "summary", new JsonArray(), "content", content);
    }

    /** @param part {@code null} as long as nothing of it came */
    static JsonObject message(String id, String status, @Nullable JsonObject part) {
        JsonArray content = new JsonArray();
        if (part != null) {
            content.add(part);
        }
        return Json.object("id", id, "type", "message", "status", status, "role", "assistant", "content", content);
    }

    static JsonObject textPart(String text, JsonArray logprobs) {
        return Json.object("type", "output_text", "text", text, "annotations", new JsonArray(), "logprobs", logprobs);
    }

    static JsonObject call(String id, String status, ToolCall call) {
        return Json.object(
                "id",
                id,
                "type",
                "function_call",
                "status",
                status,
                "call_id",
                call.id(),
                "name",
                call.name(),
                "arguments",
                call.arguments());
    }
}
