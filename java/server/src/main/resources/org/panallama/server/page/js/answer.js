// Collects the chunks of a streamed completion into a turn or a notebook: its text, what it cost and how fast it came.

const IMPOSSIBLE = -9999; // as OpenAI has it: JSON knows no infinity
const SHORTEST = 200; // milliseconds that say something of the speed

/**
 * Takes one chunk in. `target` gets `text`, `reasoning`, `tokens` (see logprobs below), `finish`, `usage` and `speed`;
 * `clock` keeps the time of this stream: at first, {count: 0}.
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
    // 0 is what a server tells of an answer that was too short to be measured.
    clock.told ||= chunk.timings?.predicted_per_second;
    target.speed = clock.told || measured(target, clock);
}

// For a server that does not tell: tokens after the first, which also waited for the prompt, over the time they took.
function measured(target, clock) {
    const tokens = (target.usage?.completion ?? clock.count) - 1;
    const milliseconds = clock.last - clock.first;
    return milliseconds > SHORTEST ? (tokens * 1000) / milliseconds : undefined;
}

// Both APIs' forms as [token, log probability, [[token, log probability], …]].
function logprobs(given) {
    if (given.content) {
        return given.content.map((entry) => [
            shown(entry),
            entry.logprob ?? IMPOSSIBLE,
            entry.top_logprobs.map((other) => [shown(other), other.logprob ?? IMPOSSIBLE]),
        ]);
    }
    return (given.tokens ?? []).map((token, index) => [
        token,
        given.token_logprobs[index] ?? IMPOSSIBLE,
        Object.entries(given.top_logprobs?.[index] ?? {}).map(([other, value]) => [other, value ?? IMPOSSIBLE]),
    ]);
}

// A token may be a part of a character only: its bytes, then.
function shown({ token, bytes }) {
    if (!bytes || !token.includes("\ufffd")) return token;
    return bytes.map((byte) => `<${byte.toString(16).toUpperCase().padStart(2, "0")}>`).join("");
}
