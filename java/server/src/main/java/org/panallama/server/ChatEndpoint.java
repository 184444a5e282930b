package org.panallama.server;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.panallama.ChatAnswer;
import org.panallama.ChatDelta;
import org.panallama.ChatRequest;
import org.panallama.TokenLogprob;
import org.panallama.ToolCall;
import org.panallama.Vocab;
import org.panallama.engine.Result;

/** {@code POST /v1/chat/completions}. */
final class ChatEndpoint implements Endpoint {

    static final int MAX_ANSWERS = 128;
    static final int MAX_TOP_LOGPROBS = 20;

    private final Service service;

    ChatEndpoint(Service service) {
        this.service = service;
    }

    @Override
    public void handle(Exchange exchange) {
        Fields fields = exchange.json();
        refuseUnsupported(fields);
        try (ModelStore.Lease lease = service.model(fields)) {
            ServedModel served = lease.model;
            ChatRequest conversation = ChatFields.conversation(fields);
            Sampling sampling = new Sampling(
                    fields,
                    served,
                    List.of("max_completion_tokens", "max_tokens"),
                    Integer.MAX_VALUE,
                    service.deadline());
            int count = fields.integer("n", 1, 1, MAX_ANSWERS);
            int logprobs = logprobs(fields);
            boolean stream = fields.flag("stream", false);
            boolean usage = streamsUsage(fields, stream);
            Head head = new Head(Ids.create("chatcmpl-"), Instant.now().getEpochSecond(), served, usage);
            try (ChatGeneration generation =
                    new ChatGeneration(exchange, service, served, head.id, conversation, sampling, count, logprobs)) {
                if (stream) {
                    stream(exchange, head, generation, count);
                } else {
                    exchange.send(whole(head, generation));
                }
            }
        }
    }

    private static void refuseUnsupported(Fields fields) {
        fields.refuse("audio", "the server has no audio");
        for (JsonElement modality : fields.list("modalities", 8)) {
            if (!Fields.text(modality, fields.path("modalities")).equals("text")) {
                throw ApiException.unsupported(fields.path("modalities"), "the server answers with text alone");
            }
        }
        fields.refuse("store", "the server keeps no answers");
        fields.refuse("web_search_options", "the server does not search the web");
        if (!fields.text("verbosity", "medium").equals("medium")) {
            throw ApiException.unsupported(
                    fields.path("verbosity"), "models here have no such setting; say it in words");
        }
    }

    /** The number of alternatives to tell, -1 for no log-probabilities. */
    static int logprobs(Fields fields) {
        boolean wanted = fields.flag("logprobs", false);
        int top = fields.integer("top_logprobs", 0, 0, MAX_TOP_LOGPROBS);
        if (!wanted && fields.has("top_logprobs") && top > 0) {
            throw ApiException.badField(fields.path("top_logprobs"), "'top_logprobs' needs 'logprobs' to be true");
        }
        return wanted ? top : -1;
    }

    static boolean streamsUsage(Fields fields, boolean stream) {
        Fields options = fields.child("stream_options");
        if (options != null && !stream) {
            throw ApiException.badField(fields.path("stream_options"), "'stream_options' needs 'stream' to be true");
        }
        return options != null && options.flag("include_usage", false);
    }

    /**
     * What all parts of an answer begin with.
     *
     * @param usage whether a stream ends with the usage: its other chunks have none then
     */
    private record Head(String id, long created, ServedModel served, boolean usage) {

        JsonObject json(String type, JsonArray choices) {
            return Json.object(
                    "id", id,
                    "object", type,
                    "created", created,
                    "model", served.name,
                    "system_fingerprint", served.fingerprint,
                    "choices", choices);
        }

        JsonObject chunk(int index, JsonObject delta, JsonElement logprobs, @Nullable String finishReason) {
            JsonArray choices = new JsonArray();
            choices.add(
                    Json.object("index", index, "delta", delta, "logprobs", logprobs, "finish_reason", finishReason));
            JsonObject chunk = json("chat.completion.chunk", choices);
            if (usage) {
                chunk.add("usage", JsonNull.INSTANCE);
            }
            return chunk;
        }
    }

    private static JsonObject whole(Head head, ChatGeneration generation) {
        List<Result> results = generation.answers.all();
        Vocab vocab = head.served.vocab();
        JsonArray choices = new JsonArray();
        for (int i = 0; i < results.size(); i++) {
            Result result = results.get(i);
            ChatAnswer answer = generation.reading(i).whole(result.text(), result.finishReason());
            choices.add(Json.object(
                    "index",
                    i,
                    "message",
                    message(answer),
                    "logprobs",
                    AnswerJson.chatLogprobs(vocab, result.logprobs()),
                    "finish_reason",
                    AnswerJson.finishReason(
                            result.finishReason(), !answer.toolCalls().isEmpty())));
        }
        JsonObject json = head.json("chat.completion", choices);
        json.add("usage", AnswerJson.usage(results, generation.reasoningTokens(vocab)));
        json.add("timings", AnswerJson.timings(results.get(0)));
        return json;
    }

    private static JsonObject message(ChatAnswer answer) {
        boolean callsOnly = answer.content().isEmpty() && !answer.toolCalls().isEmpty();
        JsonObject message =
                Json.object("role", "assistant", "content", callsOnly ? null : answer.content(), "refusal", null);
        if (!answer.reasoning().isEmpty()) {
            message.addProperty("reasoning_content", answer.reasoning());
        }
        if (!answer.toolCalls().isEmpty()) {
            List<JsonObject> calls = new ArrayList<>();
            for (ToolCall call : answer.toolCalls()) {
                calls.add(Json.object(
                        "id",
                        call.id(),
                        "type",
                        "function",
                        "function",
                        Json.object("name", call.name(), "arguments", call.arguments())));
            }
            message.add("tool_calls", Json.array(calls));
        }
        return message;
    }

    private static void stream(Exchange exchange, Head head, ChatGeneration generation, int count) {
        Vocab vocab = head.served.vocab();
        EventStream events = new EventStream(exchange);
        for (int i = 0; i < count; i++) {
            events.send(head.chunk(i, Json.object("role", "assistant", "content", ""), JsonNull.INSTANCE, null));
        }
        List<Result> results = new ArrayList<>();
        Answers.Arrival arrival;
        while ((arrival = generation.answers.next()) != null) {
            int index = arrival.index();
            ChatGeneration.Reading reading = generation.reading(index);
            if (arrival.piece() != null) {
                send(
                        events,
                        head,
                        index,
                        reading.add(arrival.piece().text()),
                        arrival.piece().logprobs());
                continue;
            }
            Result result = generation.answers.result(index);
            results.add(result);
            send(events, head, index, reading.end(result.finishReason()), List.of());
            boolean calls = !reading.answer().toolCalls().isEmpty();
            JsonObject last = head.chunk(
                    index, new JsonObject(), JsonNull.INSTANCE, AnswerJson.finishReason(result.finishReason(), calls));
            last.add("timings", AnswerJson.timings(result));
            events.send(last);
        }
        if (head.usage) {
            JsonObject last = head.json("chat.completion.chunk", new JsonArray());
            last.add("usage", AnswerJson.usage(results, generation.reasoningTokens(vocab)));
            events.send(last);
        }
        events.done();
    }

    /** The log-probabilities go with the first delta; tokens that add nothing yet have an empty one. */
    private static void send(
            EventStream events, Head head, int index, List<ChatDelta> deltas, List<TokenLogprob> logprobs) {
        JsonElement told = AnswerJson.chatLogprobs(head.served.vocab(), logprobs);
        if (deltas.isEmpty() && !logprobs.isEmpty()) {
            events.send(head.chunk(index, new JsonObject(), told, null));
        }
        for (ChatDelta delta : deltas) {
            events.send(head.chunk(index, delta(delta), told, null));
            told = JsonNull.INSTANCE;
        }
    }

    private static JsonObject delta(ChatDelta delta) {
        JsonObject json = new JsonObject();
        if (!delta.content().isEmpty()) {
            json.addProperty("content", delta.content());
        }
        if (!delta.reasoning().isEmpty()) {
            json.addProperty("reasoning_content", delta.reasoning());
        }
        if (delta.toolCall() >= 0) {
            JsonObject function = new JsonObject();
            JsonObject call = Json.object("index", delta.toolCall());
            if (!delta.id().isEmpty()) {
                call.addProperty("id", delta.id());
                call.addProperty("type", "function");
            }
            if (!delta.name().isEmpty()) {
                function.addProperty("name", delta.name());
            }
            function.addProperty("arguments", delta.arguments());
            call.add("function", function);
            json.add("tool_calls", Json.array(List.of(call)));
        }
        return json;
    }
}
