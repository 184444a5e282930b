package org.panallama;

import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.Json;
import org.panallama.spi.ChatCalls;

/** Takes an answer apart while it comes: content, reasoning, tool calls. For one answer, and for one thread at a time. */
public final class AnswerParser {

    private final ChatCalls calls;
    private final long parser;
    private final @Nullable TextCallReader textCalls;
    private ChatAnswer answer = new ChatAnswer("", "", List.of()); // with the calls in the text still in it

    private AnswerParser(ChatCalls calls, long parser, boolean textCalls) {
        this.calls = calls;
        this.parser = parser;
        this.textCalls = textCalls ? new TextCallReader() : null;
    }

    /**
     * @param syntax what {@code panallama_chat_apply} gave, {@code null} if an answer is content only
     * @param textCalls whether its content may hold calls in the form of {@link TextTools}
     */
    static AnswerParser of(@Nullable String syntax, boolean textCalls) {
        ChatCalls calls = Llama.binding();
        if (syntax == null) {
            return new AnswerParser(calls, 0, textCalls);
        }
        long address = calls.chatParserOpen(syntax);
        AnswerParser parser = new AnswerParser(calls, address, textCalls);
        Handle.CLEANER.register(parser, () -> calls.chatParserClose(address));
        return parser;
    }

    /**
     * Reads what has been generated so far.
     *
     * @param text all of it, each time longer than before
     * @param complete whether that is the whole answer
     * @return what came since the last call
     * @throws LlamaException if a complete answer does not have the form that the model's template says
     */
    public List<ChatDelta> read(String text, boolean complete) {
        List<ChatDelta> deltas = readContent(text, complete);
        if (textCalls == null) {
            return deltas;
        }
        List<ChatDelta> parts = new ArrayList<>();
        for (ChatDelta delta : deltas) {
            if (!delta.reasoning().isEmpty()) {
                parts.add(new ChatDelta("", delta.reasoning(), -1, "", "", ""));
            }
            parts.addAll(textCalls.read(delta.content(), false));
        }
        if (complete) {
            parts.addAll(textCalls.read("", true));
        }
        return parts;
    }

    private List<ChatDelta> readContent(String text, boolean complete) {
        if (parser == 0) {
            String more = text.substring(answer.content().length());
            answer = new ChatAnswer(text, "", List.of());
            return more.isEmpty() ? List.of() : List.of(new ChatDelta(more, "", -1, "", "", ""));
        }
        Map<String, @Nullable Object> result;
        try {
            result = Json.parseObject(calls.chatParse(parser, text.replace('\0', '\uFFFD'), !complete));
        } catch (IllegalArgumentException e) {
            if (!complete) {
                return List.of(); // the next piece may tell
            }
            throw new LlamaException("The answer cannot be read: " + e.getMessage(), e);
        } finally {
            Reference.reachabilityFence(this);
        }
        answer = answer(Json.asObject(result.get("message")));
        List<ChatDelta> deltas = new ArrayList<>();
        for (Object delta : Json.asArray(result.get("deltas"))) {
            deltas.add(delta(Json.asObject(delta)));
        }
        return deltas;
    }

    /** The answer as far as it has been read. */
    public ChatAnswer answer() {
        return textCalls == null
                ? answer
                : new ChatAnswer(textCalls.content(), answer.reasoning(), textCalls.toolCalls());
    }

    private static ChatAnswer answer(Map<String, @Nullable Object> message) {
        List<ToolCall> toolCalls = new ArrayList<>();
        if (message.get("tool_calls") instanceof List<?> list) {
            for (Object call : list) {
                Map<String, @Nullable Object> function =
                        Json.asObject(Json.asObject(call).get("function"));
                toolCalls.add(new ToolCall(
                        text(Json.asObject(call), "id"), text(function, "name"), text(function, "arguments")));
            }
        }
        return new ChatAnswer(text(message, "content"), text(message, "reasoning_content"), toolCalls);
    }

    private static ChatDelta delta(Map<String, @Nullable Object> delta) {
        String content = text(delta, "content");
        String reasoning = text(delta, "reasoning_content");
        if (delta.get("tool_call") instanceof Map<?, ?> call) {
            Map<String, @Nullable Object> piece = Json.asObject(call);
            int index = ((Number) piece.get("index")).intValue();
            return new ChatDelta(
                    content, reasoning, index, text(piece, "id"), text(piece, "name"), text(piece, "arguments"));
        }
        return new ChatDelta(content, reasoning, -1, "", "", "");
    }

    private static String text(Map<String, @Nullable Object> object, String key) {
        return object.get(key) instanceof String string ? string : "";
    }
}
