package org.panallama.server;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.panallama.ChatDelta;
import org.panallama.TokenLogprob;
import org.panallama.ToolCall;
import org.panallama.engine.Result;

/**
 * A response as events: items (thoughts, a message, calls) come one after the other, each announced, then in pieces, then whole.
 */
final class ResponseEvents {

    private final EventStream events;
    private final ResponsesEndpoint.Head head;
    private final ChatGeneration generation;
    private final JsonArray output = new JsonArray();
    private final JsonArray logprobs = new JsonArray(); // of the message
    private final StringBuilder text = new StringBuilder(); // of the open item
    private int sequence;
    private Kind open = Kind.NONE;
    private String itemId = "";
    private int callIndex = -1;
    private @Nullable ToolCall call; // the open one, its arguments aside

    private enum Kind {
        NONE,
        REASONING,
        MESSAGE,
        CALL
    }

    ResponseEvents(EventStream events, ResponsesEndpoint.Head head, ChatGeneration generation) {
        this.events = events;
        this.head = head;
        this.generation = generation;
    }

    void run() {
        send("response.created", "response", head.begun());
        send("response.in_progress", "response", head.begun());
        ChatGeneration.Reading reading = generation.reading(0);
        Answers.Arrival arrival;
        while ((arrival = generation.answers.next()) != null) {
            if (arrival.piece() != null) {
                accept(reading.add(arrival.piece().text()), arrival.piece().logprobs());
            }
        }
        Result result = generation.answers.result(0);
        accept(reading.end(result.finishReason()), List.of());
        if (output.isEmpty() && open == Kind.NONE) {
            open(Kind.MESSAGE); // an empty answer is one, too
        }
        String status = ResponsesEndpoint.status(result);
        closeItem(status);
        send("response." + status, "response", head.ended(output, generation, result));
    }

    private void accept(List<ChatDelta> deltas, List<TokenLogprob> told) {
        JsonArray tokens = AnswerJson.tokens(head.served().vocab(), told);
        logprobs.addAll(tokens);
        for (ChatDelta delta : deltas) {
            if (!delta.reasoning().isEmpty()) {
                open(Kind.REASONING);
                text.append(delta.reasoning());
                send("response.reasoning_text.delta", place("delta", delta.reasoning(), true));
            }
            if (!delta.content().isEmpty()) {
                open(Kind.MESSAGE);
                text.append(delta.content());
                JsonObject event = place("delta", delta.content(), true);
                event.add("logprobs", tokens);
                tokens = new JsonArray();
                send("response.output_text.delta", event);
            }
            if (delta.toolCall() >= 0) {
                openCall(delta);
                text.append(delta.arguments());
                if (!delta.arguments().isEmpty()) {
                    send("response.function_call_arguments.delta", place("delta", delta.arguments(), false));
                }
            }
        }
    }

    private void open(Kind kind) {
        if (open == kind) {
            return;
        }
        closeItem(ResponsesEndpoint.COMPLETED);
        open = kind;
        if (kind == Kind.REASONING) {
            itemId = Ids.create("rs_");
            added(ResponsesEndpoint.reasoning(itemId, null));
        } else {
            itemId = Ids.create("msg_");
            added(ResponsesEndpoint.message(itemId, "in_progress", null));
            send("response.content_part.added", place("part", ResponsesEndpoint.textPart("", new JsonArray()), true));
        }
    }

    private void openCall(ChatDelta delta) {
        if (open == Kind.CALL && callIndex == delta.toolCall()) {
            return;
        }
        closeItem(ResponsesEndpoint.COMPLETED);
        open = Kind.CALL;
        callIndex = delta.toolCall();
        itemId = Ids.create("fc_");
        call = new ToolCall(delta.id(), delta.name(), "");
        added(ResponsesEndpoint.call(itemId, "in_progress", call));
    }

    private void added(JsonObject item) {
        send("response.output_item.added", Json.object("output_index", output.size(), "item", item));
    }

    private void closeItem(String status) {
        JsonObject item = switch (open) {
            case NONE -> null;
            case REASONING -> closedReasoning();
            case MESSAGE -> closedMessage(status);
            case CALL -> closedCall(status);
        };
        if (item != null) {
            send("response.output_item.done", Json.object("output_index", output.size(), "item", item));
            output.add(item);
        }
        text.setLength(0);
        open = Kind.NONE;
    }

    private JsonObject closedReasoning() {
        send("response.reasoning_text.done", place("text", text.toString(), true));
        return ResponsesEndpoint.reasoning(itemId, text.toString());
    }

    private JsonObject closedMessage(String status) {
        JsonObject done = place("text", text.toString(), true);
        done.add("logprobs", logprobs);
        send("response.output_text.done", done);
        JsonObject part = ResponsesEndpoint.textPart(text.toString(), logprobs);
        send("response.content_part.done", place("part", part, true));
        return ResponsesEndpoint.message(itemId, status, part);
    }

    private @Nullable JsonObject closedCall(String status) {
        ToolCall begun = call;
        if (begun == null) {
            return null;
        }
        JsonObject done = place("arguments", text.toString(), false);
        done.addProperty("name", begun.name());
        send("response.function_call_arguments.done", done);
        return ResponsesEndpoint.call(itemId, status, new ToolCall(begun.id(), begun.name(), text.toString()));
    }

    private JsonObject place(String name, Object value, boolean isContent) {
        JsonObject event = Json.object("item_id", itemId, "output_index", output.size(), name, value);
        if (isContent) {
            event.addProperty("content_index", 0);
        }
        return event;
    }

    private void send(String type, String name, JsonObject value) {
        send(type, Json.object(name, value));
    }

    private void send(String type, JsonObject event) {
        event.addProperty("type", type);
        event.addProperty("sequence_number", sequence++);
        events.send(type, event);
    }
}
