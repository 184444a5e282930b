package org.panallama.server;

import com.google.gson.JsonElement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.panallama.ChatMessage;
import org.panallama.ChatRequest;
import org.panallama.JsonSchema;
import org.panallama.ToolCall;

/** Reads a request to {@code /v1/responses}, which is a chat in other words. */
final class ResponseFields {

    private static final int MAX_ITEMS = 10_000;

    private ResponseFields() {}

    static ChatRequest conversation(Fields fields) {
        refuseUnsupported(fields);
        List<ChatMessage> messages = messages(fields);
        ChatRequest.Builder builder = fields.check("input", () -> ChatRequest.builder(messages));
        ChatFields.tools(fields).addTo(builder, fields);
        JsonSchema schema = textFormat(fields);
        if (schema != null) {
            builder.schema(schema);
        }
        Fields reasoning = fields.child("reasoning");
        if (reasoning != null) {
            String effort = ChatFields.effort(reasoning, "effort", builder);
            if (!effort.isEmpty()) {
                builder.templateArguments(Json.text(Json.object("reasoning_effort", effort)));
            }
        }
        return fields.check("input", builder::build);
    }

    private static void refuseUnsupported(Fields fields) {
        String stateless = "the server keeps no answers; send the whole conversation as 'input'";
        fields.refuse("previous_response_id", stateless);
        fields.refuse("conversation", stateless);
        fields.refuse("store", "the server keeps no answers");
        fields.refuse("background", "an answer comes on the connection that asked for it");
        fields.refuse("prompt", "the server keeps no prompts; send 'instructions' and 'input'");
        if (!fields.text("truncation", "disabled").equals("disabled")) {
            throw ApiException.unsupported(fields.path("truncation"), "what does not fit is refused, not left out");
        }
        for (JsonElement extra : fields.list("include", 16)) {
            String name = Fields.text(extra, fields.path("include"));
            if (!name.equals("message.output_text.logprobs")) {
                throw ApiException.unsupported(fields.path("include"), "there is no '" + name + "' here");
            }
        }
    }

    /** Whether log-probabilities are to be part of the answer: the number of alternatives, -1 for none at all. */
    static int logprobs(Fields fields) {
        int top = fields.integer("top_logprobs", 0, 0, ChatEndpoint.MAX_TOP_LOGPROBS);
        return fields.list("include", 16).isEmpty() && top == 0 ? -1 : top;
    }

    private static @Nullable JsonSchema textFormat(Fields fields) {
        Fields text = fields.child("text");
        if (text == null) {
            return null;
        }
        if (!text.text("verbosity", "medium").equals("medium")) {
            throw ApiException.unsupported(text.path("verbosity"), "models here have no such setting; say it in words");
        }
        Fields format = text.child("format");
        // Here the schema is not in an object of its own.
        return format == null ? null : ChatFields.schema(format, format);
    }

    private static List<ChatMessage> messages(Fields fields) {
        List<ChatMessage> messages = new ArrayList<>();
        String instructions = fields.text("instructions", "");
        if (!instructions.isEmpty()) {
            messages.add(ChatMessage.system(instructions));
        }
        JsonElement input = fields.require("input");
        if (!input.isJsonArray()) {
            messages.add(ChatMessage.user(fields.text("input")));
            return messages;
        }
        String reasoning = "";
        for (Fields item : fields.children("input", MAX_ITEMS)) {
            switch (item.text("type", "message")) {
                case "message" -> {
                    String role = item.text("role");
                    String content = content(item);
                    String thoughts = role.equals(ChatMessage.ASSISTANT) ? reasoning : "";
                    messages.add(item.check(
                            "role",
                            () -> new ChatMessage(
                                    role.equals("developer") ? ChatMessage.SYSTEM : role,
                                    content,
                                    thoughts,
                                    List.of(),
                                    "")));
                    reasoning = "";
                }
                case "function_call" -> {
                    addCall(
                            messages,
                            new ToolCall(item.text("call_id", ""), item.text("name"), item.text("arguments", "{}")),
                            reasoning);
                    reasoning = "";
                }
                case "function_call_output" ->
                    messages.add(ChatMessage.tool(item.text("call_id"), content(item, "output")));
                case "reasoning" -> reasoning = reasoning(item);
                case "item_reference" ->
                    throw ApiException.unsupported(
                            item.path("type"), "the server keeps no answers; send the items themselves");
                default ->
                    throw ApiException.unsupported(
                            item.path("type"), "there are no items of type '" + item.text("type") + "' here");
            }
        }
        return messages;
    }

    /** Calls that stand one behind the other are one message of the assistant. */
    private static void addCall(List<ChatMessage> messages, ToolCall call, String reasoning) {
        int last = messages.size() - 1;
        if (last >= 0 && messages.get(last).role().equals(ChatMessage.ASSISTANT)) {
            ChatMessage before = messages.get(last);
            List<ToolCall> calls = new ArrayList<>(before.toolCalls());
            calls.add(call);
            messages.set(last, new ChatMessage(ChatMessage.ASSISTANT, before.content(), before.reasoning(), calls, ""));
        } else {
            messages.add(new ChatMessage(ChatMessage.ASSISTANT, "", reasoning, List.of(call), ""));
        }
    }

    private static String content(Fields item) {
        return content(item, "content");
    }

    private static String content(Fields item, String name) {
        if (!item.require(name).isJsonArray()) {
            return item.text(name);
        }
        StringBuilder text = new StringBuilder();
        for (Fields part : item.children(name, MAX_ITEMS)) {
            text.append(ChatFields.part(part));
        }
        return text.toString();
    }

    private static String reasoning(Fields item) {
        StringBuilder text = new StringBuilder();
        for (Fields part : item.children("content", MAX_ITEMS)) {
            text.append(part.text("text", ""));
        }
        return text.toString();
    }
}
