package org.panallama.server;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.panallama.FinishReason;
import org.panallama.Timings;
import org.panallama.TokenLogprob;
import org.panallama.Vocab;
import org.panallama.engine.Result;

/** Parts of answers that several endpoints have. */
final class AnswerJson {

    private AnswerJson() {}

    static String finishReason(FinishReason reason, boolean toolCalls) {
        return switch (reason) {
            case END_OF_GENERATION, STOP_STRING -> toolCalls ? "tool_calls" : "stop";
            case MAX_TOKENS, CONTEXT_FULL, DEADLINE, CANCELLED -> "length";
        };
    }

    /** Tokens of answers to one prompt; the prompt counts once. */
    static JsonObject usage(List<Result> results, int reasoningTokens) {
        int prompt = results.get(0).usage().promptTokens();
        int cached = results.get(0).usage().reusedTokens();
        int generated = results.stream()
                .mapToInt(result -> result.usage().generatedTokens())
                .sum();
        return Json.object(
                "prompt_tokens",
                prompt,
                "completion_tokens",
                generated,
                "total_tokens",
                prompt + generated,
                "prompt_tokens_details",
                Json.object("cached_tokens", cached),
                "completion_tokens_details",
                Json.object("reasoning_tokens", reasoningTokens));
    }

    /** Time that an answer took, by llama-server's names. */
    static JsonObject timings(Result result) {
        Timings timings = result.timings();
        return Json.object(
                "cache_n",
                result.usage().reusedTokens(),
                "prompt_n",
                timings.promptTokens(),
                "prompt_ms",
                timings.promptTime().toNanos() / 1e6,
                "prompt_per_second",
                timings.promptTokensPerSecond(),
                "predicted_n",
                timings.generatedTokens(),
                "predicted_ms",
                timings.generationTime().toNanos() / 1e6,
                "predicted_per_second",
                timings.generatedTokensPerSecond(),
                "queued_ms",
                result.waited().toNanos() / 1e6,
                "draft_n",
                result.drafted(),
                "draft_n_accepted",
                result.accepted());
    }

    /** Log-probabilities as chat completions have them. */
    static JsonElement chatLogprobs(Vocab vocab, List<TokenLogprob> logprobs) {
        if (logprobs.isEmpty()) {
            return JsonNull.INSTANCE;
        }
        return Json.object("content", tokens(vocab, logprobs), "refusal", null);
    }

    static JsonArray tokens(Vocab vocab, List<TokenLogprob> logprobs) {
        JsonArray tokens = new JsonArray();
        for (TokenLogprob logprob : logprobs) {
            JsonObject token = token(vocab, logprob);
            token.add(
                    "top_logprobs",
                    Json.array(
                            logprob.top().stream().map(top -> token(vocab, top)).toList()));
            tokens.add(token);
        }
        return tokens;
    }

    private static JsonObject token(Vocab vocab, TokenLogprob logprob) {
        List<Integer> bytes = new ArrayList<>();
        for (byte octet : vocab.pieceBytes(logprob.token(), true)) {
            bytes.add(octet & 0xFF);
        }
        return Json.object(
                "id", logprob.token(), "token", logprob.piece(), "logprob", logprob.logprob(), "bytes", bytes);
    }

    /** Log-probabilities as completions have them. */
    static JsonObject completionLogprobs(List<TokenLogprob> logprobs, int offset) {
        JsonArray tokens = new JsonArray();
        JsonArray values = new JsonArray();
        JsonArray tops = new JsonArray();
        JsonArray offsets = new JsonArray();
        int at = offset;
        for (TokenLogprob logprob : logprobs) {
            tokens.add(logprob.piece());
            values.add(logprob.logprob());
            JsonObject top = new JsonObject();
            logprob.top().forEach(other -> top.addProperty(other.piece(), other.logprob()));
            tops.add(top);
            offsets.add(at);
            at += logprob.piece().length();
        }
        return Json.object("tokens", tokens, "token_logprobs", values, "top_logprobs", tops, "text_offset", offsets);
    }
}
