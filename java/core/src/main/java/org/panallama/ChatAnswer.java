package org.panallama;

import java.util.List;

/**
 * An answer, taken apart.
 *
 * @param content the text
 * @param reasoning what the model thought before; empty for none
 * @param toolCalls what it wants to have run
 */
public record ChatAnswer(String content, String reasoning, List<ToolCall> toolCalls) {

    public ChatAnswer {
        toolCalls = List.copyOf(toolCalls);
    }

    /** As a message of the conversation that goes on. */
    public ChatMessage message() {
        return new ChatMessage(ChatMessage.ASSISTANT, content, reasoning, toolCalls, "");
    }
}
