// Collects the chunks of a streamed completion into a turn or a notebook: its text, what it cost and how fast it came.

/**
 * Takes one chunk in. `target` gets `text`, `reasoning`, `tokens` (see logprobs below), `finish`, `usage` and `speed`;
 * `clock` is the {first, count} of this stream.
 */
export function take(target, chunk, clock) {
    const choice = chunk.choices?.[0];
    const text = choice?.delta?.content ?? choice?.text ?? "";
    const reasoning = choice?.delta?.reasoning_content ?? "";
    if (text || reasoning) {
        clock.first ??= performance.now();
        clock.last = performance.now();
        clock.count++;
    }
    target.text += text;
    if (reasoning) target.reasoning = (target.reasoning ?? "") + reasoning;
    if (choice?.logprobs) target.tokens = [...(target.tokens ?? []), ...logprobs(choice.logprobs)];
    if (choice?.finish_reason) target.finish = choice.finish_reason;
    if (chunk.model) target.model = chunk.model;
    if (chunk.usage) {
        target.usage = {
            prompt: chunk.usage.prompt_tokens,
            completion: chunk.usage.completion_tokens,
            cached: chunk.usage.prompt_tokens_details?.cached_tokens ?? 0,
        };
    }
    target.speed = chunk.timings?.predicted_per_second ?? measured(target, clock) ?? target.speed;
}

// Tokens after the first over the time they took; the first also waited for the prompt.
function measured(target, clock) {
    const tokens = (target.usage?.completion ?? clock.count) - 1;
    const seconds = (clock.last - clock.first) / 1000;
    return tokens > 0 && seconds > 0 ? tokens / seconds : undefined;
}

// Both APIs' forms as [token, log probability, [[token, log probability], …]].
function logprobs(given) {
    if (given.content) {
        return given.content.map((entry) => [
            shown(entry),
            entry.logprob,
            entry.top_logprobs.map((other) => [shown(other), other.logprob]),
        ]);
    }
    return (given.tokens ?? []).map((token, index) => [
        token,
        given.token_logprobs[index],
        Object.entries(given.top_logprobs?.[index] ?? {}),
    ]);
}

// A token may be a part of a character only: its bytes, then.
function shown({ token, bytes }) {
    if (!bytes || !token.includes("\ufffd")) return token;
    return bytes.map((byte) => `<${byte.toString(16).toUpperCase().padStart(2, "0")}>`).join("");
}
