package org.panallama.server;

import com.google.gson.JsonElement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.panallama.Dry;
import org.panallama.Grammar;
import org.panallama.GrammarException;
import org.panallama.LoraAdapter;
import org.panallama.Sampler;
import org.panallama.Vocab;
import org.panallama.engine.EngineRequest;

/**
 * The part of a request that says how tokens are chosen and when an answer ends: OpenAI's fields, and llama-server's names for what
 * OpenAI has not.
 */
final class Sampling {

    private static final int MAX_STOPS = 64;
    private static final int MAX_STOP_LENGTH = 1024;
    private static final int MAX_GRAMMAR_LENGTH = 1 << 20;
    private static final long MAX_DEADLINE = Duration.ofDays(1).toMillis();

    private final Fields fields;
    private final ServedModel served;
    private final long seed;
    final List<String> stop;
    final int maxTokens;
    private final boolean ignoreEnd;
    private final Map<LoraAdapter, Float> lora;
    private final @Nullable Duration deadline;
    private final Sampler.Builder sampler;

    /**
     * @param lengthFields names of the field for the most tokens, the first that is there counts
     * @param limit the server's own deadline
     */
    Sampling(Fields fields, ServedModel served, List<String> lengthFields, int usualLength, @Nullable Duration limit) {
        this.fields = fields;
        this.served = served;
        String lengthField =
                lengthFields.stream().filter(fields::has).findFirst().orElse(lengthFields.get(0));
        maxTokens = fields.integer(lengthField, usualLength, 0, Integer.MAX_VALUE);
        stop = stops(fields);
        ignoreEnd = fields.flag("ignore_eos", false);
        long wanted = fields.whole("seed", -1, Long.MIN_VALUE, Long.MAX_VALUE);
        seed = wanted == -1 ? ThreadLocalRandom.current().nextInt() : wanted;
        deadline = deadline(fields, limit);
        lora = lora(fields, served);
        if (!fields.flag("cache_prompt", true)) {
            throw ApiException.unsupported(
                    fields.path("cache_prompt"),
                    "beginnings that prompts share are always computed once, which does not change answers");
        }
        sampler = sampler();
    }

    private static List<String> stops(Fields fields) {
        JsonElement value = fields.get("stop");
        if (value == null) {
            return List.of();
        }
        String path = fields.path("stop");
        List<String> texts = new ArrayList<>();
        for (JsonElement text : value.isJsonArray() ? Fields.list(value, path, MAX_STOPS) : List.of(value)) {
            texts.add(Fields.text(text, path));
        }
        for (String text : texts) {
            if (text.isEmpty() || text.length() > MAX_STOP_LENGTH) {
                throw ApiException.badField(
                        path,
                        "'" + path + "' has a text of " + text.length() + " characters, must be 1 to "
                                + MAX_STOP_LENGTH);
            }
        }
        return texts;
    }

    private static @Nullable Duration deadline(Fields fields, @Nullable Duration limit) {
        if (!fields.has("deadline_ms")) {
            return limit;
        }
        Duration wanted = Duration.ofMillis(fields.whole("deadline_ms", 0, 1, MAX_DEADLINE));
        return limit != null && limit.compareTo(wanted) < 0 ? limit : wanted;
    }

    private static Map<LoraAdapter, Float> lora(Fields fields, ServedModel served) {
        if (!fields.has("lora")) {
            return served.scales();
        }
        List<ServedModel.Adapter> adapters = served.adapters();
        Map<LoraAdapter, Float> scales = new LinkedHashMap<>();
        for (Fields entry : fields.children("lora", 64)) {
            ServedModel.Adapter adapter = LoraEndpoints.adapter(entry, adapters);
            float scale = entry.number("scale", 1, -1e6, 1e6);
            if (scale != 0) {
                scales.put(adapter.lora, scale);
            }
        }
        return scales;
    }

    /** Each setting that a request leaves out is llama.cpp's usual one. */
    private Sampler.Builder sampler() {
        Sampler.Builder builder = Sampler.builder();
        float temperature = fields.number("temperature", 0.8, 0, 100);
        float range = fields.number("dynatemp_range", 0, 0, temperature);
        float exponent = fields.number("dynatemp_exponent", 1, 0, 100);
        if (range > 0) {
            builder.dynamicTemperature(temperature, range, exponent);
        } else {
            builder.temperature(temperature);
        }
        builder.topK(Math.max(0, fields.integer("top_k", 40, -1, Integer.MAX_VALUE)))
                .topP(fields.number("top_p", 0.95, 0, 1))
                .minP(fields.number("min_p", 0.05, 0, 1))
                .typicalP(fields.number("typical_p", 1, 0, 1))
                .topNSigma(Math.max(0, fields.number("top_n_sigma", 0, -1, 1e6)))
                .minKeep(Math.max(1, fields.integer("min_keep", 1, 0, 1 << 20)))
                .xtc(fields.number("xtc_probability", 0, 0, 1), fields.number("xtc_threshold", 0.1, 0, 1))
                .repeatPenalty(fields.number("repeat_penalty", 1, 0.01, 100))
                .frequencyPenalty(fields.number("frequency_penalty", 0, -2, 2))
                .presencePenalty(fields.number("presence_penalty", 0, -2, 2))
                .penaltyLastN(lookBack("repeat_last_n", 64));
        dry(builder);
        switch (fields.integer("mirostat", 0, 0, 2)) {
            case 1 ->
                builder.mirostat(
                        fields.number("mirostat_tau", 5, 0, 1000), fields.number("mirostat_eta", 0.1, 0, 1), 100);
            case 2 ->
                builder.mirostatV2(fields.number("mirostat_tau", 5, 0, 1000), fields.number("mirostat_eta", 0.1, 0, 1));
            default -> {}
        }
        biases(builder, served.vocab());
        return builder;
    }

    /** -1 is for the whole context. */
    private int lookBack(String name, int usual) {
        int tokens = fields.integer(name, usual, -1, 1 << 20);
        return tokens == -1 ? served.engine().sequenceLength() : tokens;
    }

    private void dry(Sampler.Builder builder) {
        float multiplier = fields.number("dry_multiplier", 0, 0, 1e6);
        Dry usual = Dry.usual();
        List<String> breakers = new ArrayList<>();
        for (JsonElement breaker : fields.list("dry_sequence_breakers", 64)) {
            breakers.add(Fields.text(breaker, fields.path("dry_sequence_breakers")));
        }
        Dry dry = fields.check(
                "dry_sequence_breakers",
                () -> new Dry(
                        multiplier,
                        fields.number("dry_base", usual.base(), 1, 1e6),
                        fields.integer("dry_allowed_length", usual.allowedLength(), 0, 1 << 20),
                        Math.max(1, lookBack("dry_penalty_last_n", usual.lastN())),
                        fields.has("dry_sequence_breakers") ? breakers : usual.sequenceBreakers()));
        builder.dry(dry);
    }

    /** OpenAI's object of token ids and biases, or llama-server's list of pairs, whose {@code false} forbids a token. */
    private void biases(Sampler.Builder builder, Vocab vocab) {
        JsonElement value = fields.get("logit_bias");
        if (value == null) {
            return;
        }
        String path = fields.path("logit_bias");
        if (value.isJsonArray()) {
            for (JsonElement pair : Fields.list(value, path, vocab.size())) {
                List<JsonElement> both = Fields.list(pair, path, 2);
                if (both.size() != 2) {
                    throw Fields.wrongType(path, "pairs of a token and its bias");
                }
                int token = (int) Fields.whole(both.get(0), path, 0, vocab.size() - 1L);
                boolean forbidden = both.get(1).isJsonPrimitive()
                        && both.get(1).getAsJsonPrimitive().isBoolean()
                        && !both.get(1).getAsBoolean();
                builder.logitBias(
                        token, forbidden ? Float.NEGATIVE_INFINITY : Fields.number(both.get(1), path, -1e6, 1e6));
            }
            return;
        }
        for (Map.Entry<String, JsonElement> entry :
                Fields.of(value, path).json().entrySet()) {
            int token;
            try {
                token = Integer.parseInt(entry.getKey());
            } catch (NumberFormatException e) {
                token = -1;
            }
            if (token < 0 || token >= vocab.size()) {
                throw ApiException.badField(
                        path,
                        "'" + path + "' names the token '" + entry.getKey() + "'; ids go from 0 to "
                                + (vocab.size() - 1));
            }
            builder.logitBias(token, Fields.number(entry.getValue(), path + "." + token, -100, 100));
        }
    }

    /** The grammar of the request itself, in GBNF. */
    @Nullable Grammar ownGrammar() {
        String rules = fields.text("grammar", "");
        if (rules.isEmpty()) {
            return null;
        }
        if (rules.length() > MAX_GRAMMAR_LENGTH) {
            throw ApiException.badField(
                    fields.path("grammar"), "'grammar' is longer than " + MAX_GRAMMAR_LENGTH + " characters");
        }
        return fields.check("grammar", () -> Grammar.of(rules));
    }

    /** What an engine is asked, with the sampler that is to be closed if it does not take the request. */
    record Ask(EngineRequest request, Sampler sampler, int promptTokens) {}

    /**
     * A request for one answer.
     *
     * @param index of the answer among those to the same prompt: each has its own seed
     * @param grammar what the answer has to follow
     * @param more sets what is left to set
     * @throws ApiException if the grammar is malformed
     */
    Ask ask(int[] prompt, int index, @Nullable Grammar grammar, Consumer<EngineRequest.Builder> more) {
        sampler.seed(seed + index);
        if (grammar != null) {
            sampler.grammar(grammar);
        }
        Sampler chosen;
        try {
            chosen = sampler.build(served.model);
        } catch (GrammarException e) {
            throw ApiException.badField(fields.path("grammar"), String.valueOf(e.getMessage()));
        }
        EngineRequest.Builder request = EngineRequest.builder(prompt, chosen)
                .maxTokens(maxTokens)
                .ignoreEndOfGeneration(ignoreEnd)
                .lora(lora);
        if (deadline != null) {
            request.deadline(deadline);
        }
        more.accept(request);
        return new Ask(request.build(), chosen, prompt.length);
    }
}
