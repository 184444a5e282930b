package org.panallama.server;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.panallama.ChatMessage;
import org.panallama.ChatRequest;
import org.panallama.JsonSchema;
import org.panallama.Tool;
import org.panallama.ToolCall;
import org.panallama.ToolChoice;

/** Reads what a chat completion's request says of the conversation. */
final class ChatFields {

    private static final int MAX_MESSAGES = 10_000;
    private static final int MAX_TOOLS = 256;
    private static final String NO_PARAMETERS = "{\"type\":\"object\",\"properties\":{}}";
    private static final String ANY_OBJECT = "{\"type\":\"object\",\"additionalProperties\":true}";

    private ChatFields() {}

    /** What an answer is wanted to. */
    static ChatRequest conversation(Fields fields) {
        List<ChatMessage> messages = messages(fields);
        ChatRequest.Builder builder = fields.check("messages", () -> ChatRequest.builder(messages));
        tools(fields).addTo(builder, fields);
        JsonSchema schema = responseFormat(fields);
        if (schema != null) {
            builder.schema(schema);
        }
        templateArguments(fields, builder);
        builder.continueLast(fields.flag("continue_final_message", false));
        return fields.check("messages", builder::build);
    }

    /** What a request says about tools. */
    record Tools(List<Tool> tools, ToolChoice choice) {

        void addTo(ChatRequest.Builder builder, Fields fields) {
            fields.check("tools", () -> builder.tools(tools));
            if (choice == ToolChoice.REQUIRED && tools.isEmpty()) {
                throw ApiException.badField(
                        fields.path("tool_choice"), "'tool_choice' asks for a tool, but 'tools' has none to call");
            }
            builder.toolChoice(choice).parallelToolCalls(fields.flag("parallel_tool_calls", !tools.isEmpty()));
        }
    }

    private static List<ChatMessage> messages(Fields fields) {
        fields.require("messages");
        List<ChatMessage> messages = new ArrayList<>();
        for (Fields message : fields.children("messages", MAX_MESSAGES)) {
            messages.add(message(message));
        }
        return messages;
    }

    private static ChatMessage message(Fields message) {
        String role = message.text("role");
        // OpenAI's newer name for the same.
        String known = role.equals("developer") ? ChatMessage.SYSTEM : role.equals("function") ? "" : role;
        if (known.isEmpty()) {
            throw ApiException.unsupported(
                    message.path("role"), "functions are called tools now; use the role 'tool' with a 'tool_call_id'");
        }
        List<ToolCall> calls = new ArrayList<>();
        for (Fields call : message.children("tool_calls", MAX_TOOLS)) {
            Fields function = Fields.of(call.require("function"), call.path("function"));
            calls.add(new ToolCall(call.text("id", ""), function.text("name"), function.text("arguments", "{}")));
        }
        message.refuse("function_call", "use 'tool_calls'");
        message.refuse("audio", "the server has no audio");
        String content = content(message, !calls.isEmpty());
        String id = message.text("tool_call_id", "");
        String reasoning = message.text("reasoning_content", "");
        return message.check("role", () -> new ChatMessage(known, content, reasoning, calls, id));
    }

    /** Text, or parts of text. */
    private static String content(Fields message, boolean mayBeMissing) {
        JsonElement content = message.get("content");
        if (content == null) {
            if (mayBeMissing) {
                return "";
            }
            message.require("content");
            return "";
        }
        if (!content.isJsonArray()) {
            return message.text("content");
        }
        StringBuilder text = new StringBuilder();
        for (Fields part : message.children("content", MAX_MESSAGES)) {
            text.append(part(part));
        }
        return text.toString();
    }

    /** The text of a part of a content. */
    static String part(Fields part) {
        String type = part.text("type");
        return switch (type) {
            case "text", "input_text", "output_text" -> part.text("text");
            case "refusal" -> part.text("refusal");
            case "image_url", "input_image" ->
                throw ApiException.unsupported(part.path("type"), "the server takes text, not images");
            case "input_audio" -> throw ApiException.unsupported(part.path("type"), "the server takes text, not audio");
            case "file", "input_file" ->
                throw ApiException.unsupported(part.path("type"), "the server takes text, not files");
            default -> throw ApiException.badField(part.path("type"), "'" + type + "' is no type of content");
        };
    }

    static Tools tools(Fields fields) {
        fields.refuse("functions", "use 'tools'");
        if (!fields.has("tools")) {
            fields.refuse("function_call", "use 'tools' and 'tool_choice'");
        }
        List<Tool> tools = new ArrayList<>();
        for (Fields entry : fields.children("tools", MAX_TOOLS)) {
            tools.add(tool(entry));
        }
        return choose(fields, tools);
    }

    /** Chat completions put a function's fields into an object of its own, responses do not. */
    private static Tool tool(Fields entry) {
        String type = entry.text("type");
        if (!type.equals("function")) {
            throw ApiException.unsupported(
                    entry.path("type"), "tools of type '" + type + "' run at OpenAI; define a function");
        }
        Fields nested = entry.child("function");
        Fields function = nested == null ? entry : nested;
        String name = function.text("name");
        String description = function.text("description", "");
        boolean strict = function.flag("strict", false);
        JsonElement parameters = function.get("parameters");
        String json = parameters == null ? NO_PARAMETERS : Json.text(parameters);
        JsonSchema schema = function.check("parameters", () -> strict ? JsonSchema.of(json) : JsonSchema.relaxed(json));
        return function.check("name", () -> new Tool(name, description, schema));
    }

    private static Tools choose(Fields fields, List<Tool> tools) {
        JsonElement choice = fields.get("tool_choice");
        if (choice == null) {
            return new Tools(tools, ToolChoice.AUTO);
        }
        if (choice.isJsonPrimitive()) {
            String word = fields.word("tool_choice", "auto", List.of("auto", "none", "required"));
            return new Tools(tools, choice(word));
        }
        Fields object = Fields.of(choice, fields.path("tool_choice"));
        String type = object.text("type");
        if (type.equals("function")) {
            Fields nested = object.child("function");
            String name = (nested == null ? object : nested).text("name");
            return new Tools(only(tools, Set.of(name), fields.path("tool_choice")), ToolChoice.REQUIRED);
        }
        if (type.equals("allowed_tools")) {
            Fields nested = object.child("allowed_tools");
            Fields allowed = nested == null ? object : nested;
            List<String> names = new ArrayList<>();
            for (Fields tool : allowed.children("tools", MAX_TOOLS)) {
                Fields function = tool.child("function");
                names.add((function == null ? tool : function).text("name"));
            }
            String mode = allowed.word("mode", "auto", List.of("auto", "required"));
            return new Tools(only(tools, Set.copyOf(names), fields.path("tool_choice")), choice(mode));
        }
        throw ApiException.badField(
                object.path("type"), "'tool_choice.type' is '" + type + "', must be function or allowed_tools");
    }

    private static ToolChoice choice(String word) {
        return switch (word) {
            case "none" -> ToolChoice.NONE;
            case "required" -> ToolChoice.REQUIRED;
            default -> ToolChoice.AUTO;
        };
    }

    private static List<Tool> only(List<Tool> tools, Set<String> names, String path) {
        for (String name : names) {
            if (tools.stream().noneMatch(tool -> tool.name().equals(name))) {
                throw ApiException.badField(path, "'" + path + "' names '" + name + "', which 'tools' has not");
            }
        }
        return tools.stream().filter(tool -> names.contains(tool.name())).toList();
    }

    /** What {@code response_format} asks for; {@code null} for plain text. */
    static @Nullable JsonSchema responseFormat(Fields fields) {
        Fields format = fields.child("response_format");
        if (format == null) {
            return null;
        }
        return schema(format, format.child("json_schema"));
    }

    /**
     * @param format says the type
     * @param nested has the schema, if that is in an object of its own
     */
    static @Nullable JsonSchema schema(Fields format, @Nullable Fields nested) {
        switch (format.word("type", "text", List.of("text", "json_object", "json_schema"))) {
            case "json_object":
                // llama-server takes a schema here, too.
                return format.has("schema") ? schema(format, "schema", false) : JsonSchema.of(ANY_OBJECT);
            case "json_schema":
                if (nested == null) {
                    format.require("json_schema");
                    throw new AssertionError("it is missing");
                }
                return schema(nested, "schema", nested.flag("strict", false));
            default:
                return null;
        }
    }

    /** A schema that is held to the letter if it is strict, else without what a grammar cannot hold. */
    static JsonSchema schema(Fields fields, String name, boolean strict) {
        String json = Json.text(fields.require(name));
        return fields.check(name, () -> strict ? JsonSchema.of(json) : JsonSchema.relaxed(json));
    }

    private static void templateArguments(Fields fields, ChatRequest.Builder builder) {
        Fields arguments = fields.child("chat_template_kwargs");
        JsonObject given =
                arguments == null ? new JsonObject() : arguments.json().deepCopy();
        String effort = effort(fields, "reasoning_effort", builder);
        if (!effort.isEmpty()) {
            given.addProperty("reasoning_effort", effort);
        }
        if (given.has("enable_thinking")) {
            builder.thinking(Fields.of(given, "chat_template_kwargs").flag("enable_thinking", true));
        }
        if (!given.isEmpty()) {
            fields.check("chat_template_kwargs", () -> builder.templateArguments(Json.text(given)));
        }
        List<String> formats = List.of("auto", "none", "deepseek");
        builder.separateReasoning(
                !fields.word("reasoning_format", "auto", formats).equals("none"));
    }

    /**
     * Has the model think or not, as the request wants it.
     *
     * @return how much, for a template that knows that; empty for nothing said
     */
    static String effort(Fields fields, String name, ChatRequest.Builder builder) {
        if (!fields.has(name)) {
            return "";
        }
        String effort = fields.word(name, "", List.of("none", "minimal", "low", "medium", "high", "xhigh"));
        if (effort.equals("none")) {
            builder.thinking(false);
            return "";
        }
        return effort;
    }
}
