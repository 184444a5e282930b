package org.panallama.server;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.panallama.Grammar;
import org.panallama.JsonSchema;
import org.panallama.TokenLogprob;
import org.panallama.Vocab;
import org.panallama.engine.Result;

/** {@code POST /v1/completions}: texts that go on. */
final class CompletionsEndpoint implements Endpoint {

    private static final int MAX_PROMPTS = 64;
    private static final int MAX_LOGPROBS = 20;
    private static final int USUAL_LENGTH = 16; // OpenAI's

    private final Service service;

    CompletionsEndpoint(Service service) {
        this.service = service;
    }

    /**
     * A text to continue.
     *
     * @param text as it is echoed
     */
    private record Prompt(String text, int[] tokens) {}

    /**
     * How answers are written.
     *
     * @param echoed whether they begin with the prompt
     * @param usage whether a stream ends with the usage: its other chunks have none then
     */
    private record Form(String id, long created, ServedModel served, boolean echoed, boolean usage) {

        JsonObject json(JsonArray choices) {
            return Json.object(
                    "id",
                    id,
                    "object",
                    "text_completion",
                    "created",
                    created,
                    "model",
                    served.name,
                    "system_fingerprint",
                    served.fingerprint,
                    "choices",
                    choices);
        }

        JsonObject chunk(int index, String text, List<TokenLogprob> logprobs, int offset, @Nullable String reason) {
            JsonArray choices = new JsonArray();
            choices.add(choice(index, text, logprobs, offset, reason));
            JsonObject chunk = json(choices);
            if (usage) {
                chunk.add("usage", JsonNull.INSTANCE);
            }
            return chunk;
        }

        static JsonObject choice(
                int index, String text, List<TokenLogprob> logprobs, int offset, @Nullable String reason) {
            return Json.object(
                    "index",
                    index,
                    "text",
                    text,
                    "logprobs",
                    logprobs.isEmpty() ? null : AnswerJson.completionLogprobs(logprobs, offset),
                    "finish_reason",
                    reason);
        }
    }

    @Override
    public void handle(Exchange exchange) {
        Fields fields = exchange.json();
        try (ModelStore.Lease lease = service.model(fields)) {
            ServedModel served = lease.model;
            List<Prompt> prompts = prompts(fields, served.vocab());
            int count = fields.integer("n", 1, 1, ChatEndpoint.MAX_ANSWERS);
            int best = fields.integer("best_of", count, count, ChatEndpoint.MAX_ANSWERS);
            if (prompts.size() * best > ChatEndpoint.MAX_ANSWERS) {
                throw ApiException.badField(
                        fields.path("n"),
                        "the request asks for " + prompts.size() * best + " answers, at most "
                                + ChatEndpoint.MAX_ANSWERS);
            }
            boolean stream = fields.flag("stream", false);
            if (stream && best > count) {
                throw ApiException.unsupported(
                        fields.path("best_of"), "which answer is the best shows at the end, so it cannot be streamed");
            }
            boolean usage = ChatEndpoint.streamsUsage(fields, stream);
            int logprobs = fields.has("logprobs") ? fields.integer("logprobs", 0, 0, MAX_LOGPROBS) : -1;
            boolean echo = fields.flag("echo", false);
            if (echo && logprobs >= 0) {
                throw ApiException.unsupported(
                        fields.path("echo"), "the prompt has no log-probabilities; leave out 'echo' or 'logprobs'");
            }
            Sampling sampling = new Sampling(fields, served, List.of("max_tokens"), USUAL_LENGTH, service.deadline());
            Grammar grammar = grammar(fields, sampling);
            List<Sampling.Ask> asks = new ArrayList<>();
            for (Prompt prompt : prompts) {
                for (int i = 0; i < best; i++) {
                    asks.add(sampling.ask(prompt.tokens, i, grammar, builder -> {
                        builder.stop(sampling.stop);
                        if (logprobs >= 0 || best > count) {
                            builder.logprobs(Math.max(0, logprobs));
                        }
                    }));
                }
            }
            Form form = new Form(Ids.create("cmpl-"), Instant.now().getEpochSecond(), served, echo, usage);
            try (Answers answers = new Answers(exchange, served, form.id, asks, service.metrics())) {
                if (stream) {
                    stream(exchange, form, answers, prompts, count);
                } else {
                    exchange.send(whole(form, answers.all(), prompts, count, best, logprobs >= 0));
                }
            }
        }
    }

    private static @Nullable Grammar grammar(Fields fields, Sampling sampling) {
        Grammar own = sampling.ownGrammar();
        JsonSchema schema = fields.has("json_schema")
                ? ChatFields.schema(fields, "json_schema", true)
                : ChatFields.responseFormat(fields);
        if (schema == null) {
            return own;
        }
        if (own != null) {
            throw ApiException.badField(fields.path("grammar"), "'grammar' does not go together with a JSON schema");
        }
        return schema.grammar();
    }

    /** A text, tokens, or a list of either. */
    private static List<Prompt> prompts(Fields fields, Vocab vocab) {
        JsonElement value = fields.require("prompt");
        String suffix = fields.text("suffix", "");
        if (!suffix.isEmpty()) {
            if (!value.isJsonPrimitive()) {
                throw ApiException.unsupported(fields.path("suffix"), "it needs a 'prompt' of one text");
            }
            String text = fields.text("prompt");
            return List.of(new Prompt(text, InfillPrompt.of(vocab, "suffix").tokens(text, suffix, List.of())));
        }
        List<Prompt> prompts = new ArrayList<>();
        for (TokenInput.Entry entry : TokenInput.read(value, fields.path("prompt"), vocab, MAX_PROMPTS)) {
            int[] tokens = entry.tokens() == null ? vocab.tokenize(entry.text(), true, true) : entry.tokens();
            if (tokens.length == 0) {
                throw ApiException.badField(
                        fields.path("prompt"), "'prompt' is empty, and the model has no token that begins a text");
            }
            prompts.add(new Prompt(entry.text(), tokens));
        }
        return prompts;
    }

    private static JsonObject whole(
            Form form, List<Result> results, List<Prompt> prompts, int count, int best, boolean logprobs) {
        JsonArray choices = new JsonArray();
        int promptTokens = 0;
        for (int p = 0; p < prompts.size(); p++) {
            Prompt prompt = prompts.get(p);
            promptTokens += prompt.tokens.length;
            List<Result> candidates = new ArrayList<>(results.subList(p * best, (p + 1) * best));
            if (best > count) {
                candidates.sort(Comparator.comparingDouble(CompletionsEndpoint::meanLogprob)
                        .reversed());
            }
            for (Result result : candidates.subList(0, count)) {
                String text = form.echoed ? prompt.text + result.text() : result.text();
                choices.add(Form.choice(
                        choices.size(),
                        text,
                        logprobs ? result.logprobs() : List.of(),
                        0,
                        AnswerJson.finishReason(result.finishReason(), false)));
            }
        }
        JsonObject json = form.json(choices);
        json.add("usage", usage(results, promptTokens));
        json.add("timings", AnswerJson.timings(results.get(0)));
        return json;
    }

    private static double meanLogprob(Result result) {
        return result.logprobs().stream()
                .mapToDouble(TokenLogprob::logprob)
                .average()
                .orElse(0);
    }

    /** As for one prompt, but for the tokens of all of them. */
    private static JsonObject usage(List<Result> results, int promptTokens) {
        JsonObject usage = AnswerJson.usage(results, 0);
        usage.addProperty("prompt_tokens", promptTokens);
        usage.addProperty(
                "total_tokens", promptTokens + usage.get("completion_tokens").getAsInt());
        return usage;
    }

    private static void stream(Exchange exchange, Form form, Answers answers, List<Prompt> prompts, int count) {
        EventStream events = new EventStream(exchange);
        int[] offsets = new int[prompts.size() * count];
        List<Result> results = new ArrayList<>();
        for (int i = 0; form.echoed && i < offsets.length; i++) {
            events.send(form.chunk(i, prompts.get(i / count).text, List.of(), 0, null));
        }
        Answers.Arrival arrival;
        while ((arrival = answers.next()) != null) {
            int index = arrival.index();
            if (arrival.piece() != null) {
                List<TokenLogprob> logprobs = arrival.piece().logprobs();
                events.send(form.chunk(index, arrival.piece().text(), logprobs, offsets[index], null));
                for (TokenLogprob logprob : logprobs) {
                    offsets[index] += logprob.piece().length();
                }
                continue;
            }
            Result result = answers.result(index);
            results.add(result);
            JsonObject last =
                    form.chunk(index, "", List.of(), 0, AnswerJson.finishReason(result.finishReason(), false));
            last.add("timings", AnswerJson.timings(result));
            events.send(last);
        }
        if (form.usage) {
            JsonObject last = form.json(new JsonArray());
            last.add(
                    "usage",
                    usage(
                            results,
                            prompts.stream()
                                    .mapToInt(prompt -> prompt.tokens.length)
                                    .sum()));
            events.send(last);
        }
        events.done();
    }
}
