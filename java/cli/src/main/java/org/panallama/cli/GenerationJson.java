package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.panallama.FinishReason;
import org.panallama.Generation;
import org.panallama.Timings;
import org.panallama.TokenLogprob;
import org.panallama.Usage;

/**
 * A finished generation as JSON.
 *
 * @param text what was generated
 * @param generation that did it
 * @param seed of its random choices
 * @param loadTime of the model and its context
 * @param logprobs whether log-probabilities were asked for
 */
record GenerationJson(String text, Generation generation, long seed, Duration loadTime, boolean logprobs)
        implements Output.JsonBody {

    @Override
    public void write(JsonWriter json) throws IOException {
        json.beginObject();
        json.name("text").value(text);
        json.name("tokens").beginArray();
        for (int token : generation.tokens()) {
            json.value(token);
        }
        json.endArray();
        String reason = generation.finishReason().map(FinishReason::name).orElseThrow();
        json.name("finish_reason").value(reason.toLowerCase(Locale.ROOT));
        json.name("seed").value(seed);
        usage(json);
        timings(json);
        if (logprobs) {
            json.name("logprobs");
            tokens(json, generation.logprobs(), true);
        }
        json.endObject();
    }

    private void usage(JsonWriter json) throws IOException {
        Usage usage = generation.usage();
        json.name("usage").beginObject();
        json.name("prompt_tokens").value(usage.promptTokens());
        json.name("generated_tokens").value(usage.generatedTokens());
        json.name("total_tokens").value(usage.promptTokens() + usage.generatedTokens());
        json.endObject();
    }

    private void timings(JsonWriter json) throws IOException {
        Timings timings = generation.timings();
        json.name("timings").beginObject();
        json.name("load_ms").value(millis(loadTime));
        json.name("prompt_ms").value(millis(timings.promptTime()));
        json.name("prompt_tokens_per_second").value(timings.promptTokensPerSecond());
        json.name("generation_ms").value(millis(timings.generationTime()));
        json.name("generated_tokens_per_second").value(timings.generatedTokensPerSecond());
        json.endObject();
    }

    private static void tokens(JsonWriter json, List<TokenLogprob> tokens, boolean withTop) throws IOException {
        json.beginArray();
        for (TokenLogprob token : tokens) {
            json.beginObject();
            json.name("id").value(token.token());
            json.name("piece").value(token.piece());
            json.name("logprob");
            if (Double.isFinite(token.logprob())) {
                json.value(token.logprob());
            } else {
                json.nullValue(); // JSON has no infinity: the token was impossible
            }
            if (withTop) {
                json.name("top");
                tokens(json, token.top(), false);
            }
            json.endObject();
        }
        json.endArray();
    }

    private static double millis(Duration time) {
        return time.toNanos() / 1e6;
    }
}
