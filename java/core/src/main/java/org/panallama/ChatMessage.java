package org.panallama;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One message of a conversation.
 *
 * @param role who speaks: {@link #SYSTEM}, {@link #USER}, {@link #ASSISTANT}, {@link #TOOL}, or what else a template knows
 * @param content the text
 * @param reasoning what the assistant thought before; empty for none
 * @param toolCalls what the assistant wants to have run
 * @param toolCallId which call a tool's message answers; empty for none
 */
public record ChatMessage(String role, String content, String reasoning, List<ToolCall> toolCalls, String toolCallId) {

    /** Role of instructions that hold for the whole conversation. */
    public static final String SYSTEM = "system";

    /** Role of the one who asks. */
    public static final String USER = "user";

    /** Role of the model. */
    public static final String ASSISTANT = "assistant";

    /** Role of what a function returned. */
    public static final String TOOL = "tool";

    private static final Pattern ROLE = Pattern.compile("[A-Za-z0-9_-]+");

    /**
     * @throws IllegalArgumentException if the role is not made of ASCII letters, digits, {@code _} and {@code -}; it is written
     *     into the prompt as it stands
     */
    public ChatMessage {
        Objects.requireNonNull(content, "content");
        Objects.requireNonNull(reasoning, "reasoning");
        Objects.requireNonNull(toolCallId, "toolCallId");
        toolCalls = List.copyOf(toolCalls);
        if (!ROLE.matcher(role).matches()) {
            throw new IllegalArgumentException("role is '" + role + "', must be a word, as " + SYSTEM + ", " + USER
                    + " and " + ASSISTANT + " are");
        }
    }

    /** A message of text alone. */
    public ChatMessage(String role, String content) {
        this(role, content, "", List.of(), "");
    }

    public static ChatMessage system(String content) {
        return new ChatMessage(SYSTEM, content);
    }

    public static ChatMessage user(String content) {
        return new ChatMessage(USER, content);
    }

    public static ChatMessage assistant(String content) {
        return new ChatMessage(ASSISTANT, content);
    }

    /** What the function of a call returned. */
    public static ChatMessage tool(String toolCallId, String content) {
        return new ChatMessage(TOOL, content, "", List.of(), toolCallId);
    }

    boolean isAboutTools() {
        return !toolCalls.isEmpty() || role.equals(TOOL);
    }

    /** As OpenAI's chat completions write it. */
    Map<String, @Nullable Object> json() {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("role", role);
        json.put("content", content);
        if (!reasoning.isEmpty()) {
            json.put("reasoning_content", reasoning);
        }
        if (!toolCalls.isEmpty()) {
            json.put("tool_calls", toolCalls.stream().map(ToolCall::json).toList());
        }
        if (!toolCallId.isEmpty()) {
            json.put("tool_call_id", toolCallId);
        }
        return json;
    }
}
