package org.panallama;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.Json;

/**
 * Tools for a template that has no place for them: {@link ChatTemplate#supportsTools()} has the form in which the model is told of
 * them and calls them, which is that of the Hermes models. {@link TextCallReader} reads the answer.
 */
final class TextTools {

    static final String OPEN = "<tool_call>";
    static final String CLOSE = "</tool_call>";

    private static final String RETURNED = "<tool_response>\n%s\n</tool_response>";
    private static final Map<String, @Nullable Object> OBJECT = Map.of("type", "object");
    private static final List<String> TYPES = List.of("type", "properties", "$ref", "anyOf", "oneOf", "allOf");
    private static final Pattern ROOT = Pattern.compile("(?m)^root ::= .*$");

    private TextTools() {}

    /** Whether a conversation is about tools at all. */
    static boolean areIn(ChatRequest request) {
        return !request.tools.isEmpty() || request.messages.stream().anyMatch(ChatMessage::isAboutTools);
    }

    /** Whether the answer may call some. */
    static boolean mayBeCalled(ChatRequest request) {
        return !request.tools.isEmpty() && request.toolChoice != ToolChoice.NONE;
    }

    /** The same conversation in plain messages. */
    static List<ChatMessage> messages(ChatRequest request) {
        List<ChatMessage> messages = plain(request.messages);
        if (mayBeCalled(request)) {
            String told = description(request);
            if (messages.get(0).role().equals(ChatMessage.SYSTEM)) {
                messages.set(0, ChatMessage.system(messages.get(0).content() + "\n\n" + told));
            } else {
                messages.add(0, ChatMessage.system(told));
            }
        }
        return messages;
    }

    private static String description(ChatRequest request) {
        StringBuilder text =
                new StringBuilder("You can call functions. To call one, answer with its name and its arguments:\n"
                        + OPEN + "\n{\"name\": \"NAME\", \"arguments\": {\"ARGUMENT\": \"VALUE\"}}\n" + CLOSE
                        + "\nYou are told what it returned in <tool_response> tags.");
        if (request.parallelToolCalls) {
            text.append(" You may write several calls, one behind the other.");
        }
        if (request.toolChoice == ToolChoice.REQUIRED) {
            text.append(" Your next answer must be a call.");
        }
        text.append(" These are the functions, each with the JSON schema of its arguments:");
        for (Tool tool : request.tools) {
            Map<String, @Nullable Object> function = new LinkedHashMap<>();
            function.put("name", tool.name());
            function.put("description", tool.description());
            function.put("parameters", tool.parameters().schema());
            text.append('\n').append(Json.write(function));
        }
        return text.toString();
    }

    /** Calls as the assistant's text, and what came of them as the user's, since templates want the two to take turns. */
    private static List<ChatMessage> plain(List<ChatMessage> messages) {
        List<ChatMessage> plain = new ArrayList<>();
        Map<String, String> names = new HashMap<>(); // by the calls' ids
        boolean returned = false; // whether the last message tells what a function returned
        for (ChatMessage message : messages) {
            message.toolCalls().forEach(call -> names.put(call.id(), call.name()));
            boolean returns = message.role().equals(ChatMessage.TOOL);
            ChatMessage next = returns ? ChatMessage.user(returned(message, names)) : spoken(message);
            int last = plain.size() - 1;
            if ((returned || returns) && last >= 0 && sameUser(plain.get(last), next)) {
                next = ChatMessage.user(plain.remove(last).content() + "\n" + next.content());
            }
            plain.add(next);
            returned = returns;
        }
        return plain;
    }

    private static boolean sameUser(ChatMessage one, ChatMessage next) {
        return one.role().equals(ChatMessage.USER) && next.role().equals(ChatMessage.USER);
    }

    private static String returned(ChatMessage message, Map<String, String> names) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        String name = names.get(message.toolCallId());
        if (name != null) {
            json.put("name", name);
        }
        json.put("content", valueOrText(message.content()));
        return String.format(Locale.ROOT, RETURNED, Json.write(json));
    }

    private static ChatMessage spoken(ChatMessage message) {
        if (message.toolCalls().isEmpty()) {
            return message;
        }
        List<String> parts = new ArrayList<>();
        if (!message.content().isEmpty()) {
            parts.add(message.content());
        }
        for (ToolCall call : message.toolCalls()) {
            Map<String, @Nullable Object> json = new LinkedHashMap<>();
            json.put("name", call.name());
            json.put("arguments", valueOrText(call.arguments()));
            parts.add(OPEN + "\n" + Json.write(json) + "\n" + CLOSE);
        }
        return new ChatMessage(message.role(), String.join("\n", parts), message.reasoning(), List.of(), "");
    }

    private static @Nullable Object valueOrText(String text) {
        try {
            return Json.parse(text);
        } catch (IllegalArgumentException e) {
            return text;
        }
    }

    /**
     * What holds an answer to calls that follow the tools' schemas. Where the model may choose, it sets in with the first call, or
     * the answer follows the request's own schema.
     *
     * @throws LlamaException if llama.cpp can make no grammar of the schemas
     */
    static Grammar grammar(ChatRequest request) {
        Map<String, @Nullable Object> definitions = new LinkedHashMap<>();
        List<@Nullable Object> alternatives = new ArrayList<>();
        List<String> calls = new ArrayList<>();
        for (Tool tool : request.tools) {
            calls.add("alternative-" + alternatives.size()); // llama.cpp's name for it
            Map<String, @Nullable Object> properties = new LinkedHashMap<>();
            properties.put("name", Map.of("const", tool.name()));
            Map<String, @Nullable Object> parameters = tool.parameters().schema();
            boolean anything = TYPES.stream().noneMatch(parameters::containsKey);
            properties.put("arguments", anything ? OBJECT : define(definitions, parameters));
            alternatives.add(
                    Map.of("type", "object", "properties", properties, "required", List.of("name", "arguments")));
        }
        String answer = "";
        if (request.schema != null) {
            answer = " | alternative-" + alternatives.size();
            alternatives.add(define(definitions, request.schema.schema()));
        }
        String rules = JsonSchema.rules(Json.write(Map.of("$defs", definitions, "anyOf", alternatives)));
        String root = "root ::= tool-gap tool-call" + (request.parallelToolCalls ? " (tool-gap tool-call)*" : "")
                + answer
                + "\ntool-gap ::= [ \\n]{0,2}\ntool-call ::= \"" + OPEN + "\" tool-gap (" + String.join(" | ", calls)
                + ") tool-gap \"" + CLOSE + "\"";
        String all = ROOT.matcher(rules).replaceFirst(Matcher.quoteReplacement(root));
        boolean free = request.toolChoice == ToolChoice.AUTO && request.schema == null;
        return free ? Grammar.lazy(all, List.of(Pattern.compile(Pattern.quote(OPEN))), Set.of()) : Grammar.of(all);
    }

    /** Adds a schema to the definitions of another, and refers to it. */
    private static Map<String, @Nullable Object> define(
            Map<String, @Nullable Object> definitions, Map<String, @Nullable Object> schema) {
        String place = "#/$defs/" + definitions.size();
        definitions.put(Integer.toString(definitions.size()), moved(schema, place));
        return Map.of("$ref", place);
    }

    /** A schema whose references to its own parts are right where it is part of another one. */
    private static @Nullable Object moved(@Nullable Object value, String place) {
        if (value instanceof List<?> list) {
            List<@Nullable Object> moved = new ArrayList<>();
            list.forEach(element -> moved.add(moved(element, place)));
            return moved;
        }
        if (!(value instanceof Map<?, ?> map)) {
            return value;
        }
        Map<String, @Nullable Object> moved = new LinkedHashMap<>();
        Json.asObject(map).forEach((key, inner) -> {
            if (key.equals("$ref") && inner instanceof String path) {
                moved.put(key, place + path.substring(1));
            } else {
                boolean constant = key.equals("const") || key.equals("enum");
                moved.put(key, constant ? inner : moved(inner, place));
            }
        });
        return moved;
    }
}
