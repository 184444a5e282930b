package org.panallama;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.Json;

/** What a {@link ChatTemplate} is to make a prompt of. Immutable and thread-safe. */
public final class ChatRequest {

    final List<ChatMessage> messages;
    final List<Tool> tools;
    final ToolChoice toolChoice;
    final boolean parallelToolCalls;
    final @Nullable JsonSchema schema;
    final boolean thinking;
    final boolean separateReasoning;
    final boolean continueLast;
    final Map<String, @Nullable Object> arguments;

    private ChatRequest(Builder builder) {
        messages = builder.messages;
        tools = builder.tools;
        toolChoice = builder.toolChoice;
        parallelToolCalls = builder.parallelToolCalls;
        schema = builder.schema;
        thinking = builder.thinking;
        separateReasoning = builder.separateReasoning;
        continueLast = builder.continueLast;
        arguments = builder.arguments;
    }

    /** The same request without tools. */
    private ChatRequest(ChatRequest other, List<ChatMessage> messages, boolean thinking, @Nullable JsonSchema schema) {
        this.messages = List.copyOf(messages);
        this.thinking = thinking;
        this.schema = schema;
        tools = List.of();
        toolChoice = ToolChoice.AUTO;
        parallelToolCalls = false;
        separateReasoning = other.separateReasoning;
        continueLast = other.continueLast;
        arguments = other.arguments;
    }

    /**
     * The request with its tools in the messages' text, for a template that knows none.
     *
     * @param canThink whether the template can be told not to think: what a grammar holds from its beginning comes at once
     */
    ChatRequest withTextTools(boolean canThink) {
        boolean called = TextTools.mayBeCalled(this);
        boolean atOnce = canThink && called && (toolChoice == ToolChoice.REQUIRED || schema != null);
        return new ChatRequest(this, TextTools.messages(this), thinking && !atOnce, called ? null : schema);
    }

    /**
     * A builder of a request for an answer to a conversation.
     *
     * @throws IllegalArgumentException if there is no message
     */
    public static Builder builder(List<ChatMessage> messages) {
        return new Builder(messages);
    }

    /** Whether something is asked for that only a template's own interpreter can do. */
    boolean needsInterpreter() {
        return continueLast || !arguments.isEmpty() || !thinking;
    }

    /** Collects a request's parts. Not thread-safe. */
    public static final class Builder {

        private final List<ChatMessage> messages;
        private List<Tool> tools = List.of();
        private ToolChoice toolChoice = ToolChoice.AUTO;
        private boolean parallelToolCalls;
        private @Nullable JsonSchema schema;
        private boolean thinking = true;
        private boolean separateReasoning = true;
        private boolean continueLast;
        private Map<String, @Nullable Object> arguments = Map.of();

        private Builder(List<ChatMessage> messages) {
            this.messages = List.copyOf(messages);
            if (messages.isEmpty()) {
                throw new IllegalArgumentException("there is no message to answer");
            }
        }

        /**
         * The functions that the model may call; none by default.
         *
         * @throws IllegalArgumentException if two have the same name
         */
        public Builder tools(List<Tool> functions) {
            for (int i = 0; i < functions.size(); i++) {
                String name = functions.get(i).name();
                if (functions.subList(0, i).stream()
                        .anyMatch(other -> other.name().equals(name))) {
                    throw new IllegalArgumentException("two tools are named '" + name + "'");
                }
            }
            tools = List.copyOf(functions);
            return this;
        }

        /** {@link ToolChoice#AUTO} by default. */
        public Builder toolChoice(ToolChoice choice) {
            toolChoice = Objects.requireNonNull(choice, "choice");
            return this;
        }

        /** Whether an answer may hold several calls; by default it may not. */
        public Builder parallelToolCalls(boolean several) {
            parallelToolCalls = several;
            return this;
        }

        /** What the answer's content has to follow. */
        public Builder schema(JsonSchema answer) {
            schema = Objects.requireNonNull(answer, "answer");
            return this;
        }

        /** Whether a model that can think before it answers does so; by default it does. */
        public Builder thinking(boolean think) {
            thinking = think;
            return this;
        }

        /** Whether thoughts are told apart from the content; by default they are. */
        public Builder separateReasoning(boolean separate) {
            separateReasoning = separate;
            return this;
        }

        /** Whether the last message is the beginning of the answer. */
        public Builder continueLast(boolean continued) {
            continueLast = continued;
            return this;
        }

        /**
         * Variables for the template, {@code reasoning_effort} for example.
         *
         * @param json an object
         * @throws IllegalArgumentException if it is none
         */
        public Builder templateArguments(String json) {
            arguments = new LinkedHashMap<>(Json.parseObject(json));
            return this;
        }

        /**
         * The request.
         *
         * @throws IllegalArgumentException if parts do not go together: a choice that needs tools without any, tools and a schema,
         *     or a last message to continue that is not the assistant's
         */
        public ChatRequest build() {
            if (tools.isEmpty() && toolChoice == ToolChoice.REQUIRED) {
                throw new IllegalArgumentException("a tool call is required, but there are no tools");
            }
            if (schema != null && !tools.isEmpty() && toolChoice == ToolChoice.REQUIRED) {
                throw new IllegalArgumentException(
                        "an answer cannot be both a required tool call and JSON by a schema");
            }
            if (continueLast && !messages.get(messages.size() - 1).role().equals(ChatMessage.ASSISTANT)) {
                throw new IllegalArgumentException("the message to continue is not the assistant's");
            }
            return new ChatRequest(this);
        }
    }
}
