package org.panallama.server;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.panallama.AnswerParser;
import org.panallama.ChatAnswer;
import org.panallama.ChatDelta;
import org.panallama.ChatPrompt;
import org.panallama.ChatRequest;
import org.panallama.ChatTemplate;
import org.panallama.FinishReason;
import org.panallama.Grammar;
import org.panallama.LlamaException;
import org.panallama.ToolCall;
import org.panallama.Vocab;

/** Answers to a conversation, taken apart as they come. On the thread of its exchange alone. */
final class ChatGeneration implements AutoCloseable {

    final Answers answers;
    private final List<Reading> readings = new ArrayList<>();

    /**
     * @param id of the answer
     * @param count of answers
     * @param logprobs number of the likeliest tokens to tell at each place, -1 for no log-probabilities at all
     */
    ChatGeneration(
            Exchange exchange,
            Service service,
            ServedModel served,
            String id,
            ChatRequest conversation,
            Sampling sampling,
            int count,
            int logprobs) {
        ChatPrompt prompt = prompt(served, conversation);
        Grammar grammar = prompt.grammar().orElse(null);
        Grammar own = sampling.ownGrammar();
        if (own != null && grammar != null) {
            throw ApiException.badField("grammar", "'grammar' does not go together with tools or a response format");
        }
        Vocab vocab = served.vocab();
        int[] tokens = prompt.tokens(vocab);
        List<String> stop =
                Stream.concat(sampling.stop.stream(), prompt.stop().stream()).toList();
        List<Sampling.Ask> asks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            asks.add(sampling.ask(tokens, i, own == null ? grammar : own, builder -> {
                builder.stop(stop).shownTokens(prompt.preservedTokens(vocab)).stripLeadingSpace(true);
                if (logprobs >= 0) {
                    builder.logprobs(logprobs);
                }
            }));
            readings.add(new Reading(prompt.newParser()));
        }
        answers = new Answers(exchange, served, id, asks, service.metrics());
    }

    /**
     * @throws ApiException if the model's template cannot write the conversation
     */
    static ChatPrompt prompt(ServedModel served, ChatRequest conversation) {
        ChatTemplate template;
        try {
            template = served.template();
        } catch (LlamaException e) {
            throw ApiException.badField("model", String.valueOf(e.getMessage()));
        }
        try {
            return template.prompt(conversation);
        } catch (LlamaException e) {
            throw ApiException.badField("messages", String.valueOf(e.getMessage()));
        }
    }

    Reading reading(int index) {
        return readings.get(index);
    }

    /** One answer on its way. */
    static final class Reading {

        private final AnswerParser parser;
        private final StringBuilder text = new StringBuilder();
        private final Map<Integer, String> callIds = new HashMap<>();

        private Reading(AnswerParser parser) {
            this.parser = parser;
        }

        /** What a piece of the answer adds. */
        List<ChatDelta> add(String piece) {
            text.append(piece);
            return piece.isEmpty() ? List.of() : identified(parser.read(text.toString(), false));
        }

        /** What was held back until the end. */
        List<ChatDelta> end(FinishReason reason) {
            boolean complete = reason == FinishReason.END_OF_GENERATION || reason == FinishReason.STOP_STRING;
            try {
                return identified(parser.read(text.toString(), complete));
            } catch (LlamaException e) {
                // The model did not keep to its own form. What could be read of it is the answer.
                return identified(parser.read(text.toString(), false));
            }
        }

        /** The whole text was generated: reads it at once. */
        ChatAnswer whole(String answer, FinishReason reason) {
            text.append(answer);
            end(reason);
            return answer();
        }

        ChatAnswer answer() {
            ChatAnswer read = parser.answer();
            List<ToolCall> calls = new ArrayList<>();
            for (ToolCall call : read.toolCalls()) {
                calls.add(new ToolCall(callId(calls.size(), call.id()), call.name(), call.arguments()));
            }
            return new ChatAnswer(read.content(), read.reasoning(), calls);
        }

        /** A call's first piece always has an id. */
        private List<ChatDelta> identified(List<ChatDelta> deltas) {
            List<ChatDelta> identified = new ArrayList<>();
            for (ChatDelta delta : deltas) {
                boolean first = delta.toolCall() >= 0 && !callIds.containsKey(delta.toolCall());
                identified.add(
                        first
                                ? new ChatDelta(
                                        delta.content(),
                                        delta.reasoning(),
                                        delta.toolCall(),
                                        callId(delta.toolCall(), delta.id()),
                                        delta.name(),
                                        delta.arguments())
                                : delta);
            }
            return identified;
        }

        private String callId(int index, @Nullable String given) {
            return callIds.computeIfAbsent(
                    index, unknown -> given == null || given.isEmpty() ? Ids.create("call_") : given);
        }
    }

    /** Tokens of the answers' thoughts, as far as they can be told. */
    int reasoningTokens(Vocab vocab) {
        int tokens = 0;
        for (Reading reading : readings) {
            String reasoning = reading.parser.answer().reasoning();
            tokens += reasoning.isEmpty() ? 0 : vocab.tokenize(reasoning, false, false).length;
        }
        return tokens;
    }

    @Override
    public void close() {
        answers.close();
    }
}
