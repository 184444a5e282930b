package org.panallama;

import java.time.Duration;

/**
 * Time that a generation took.
 *
 * @param promptTokens tokens of the prompt that were computed
 * @param promptTime from the start until the first token could be chosen
 * @param generatedTokens tokens generated
 * @param generationTime from then until now or the end, with the time that the consumer of the text took
 */
public record Timings(int promptTokens, Duration promptTime, int generatedTokens, Duration generationTime) {

    /** Prompt tokens a second; 0 if nothing was computed. */
    public double promptTokensPerSecond() {
        return rate(promptTokens, promptTime);
    }

    /** Generated tokens a second. The first one comes with the prompt, so that it is not counted. */
    public double generatedTokensPerSecond() {
        return rate(generatedTokens - 1, generationTime);
    }

    private static double rate(int tokens, Duration time) {
        return tokens <= 0 || time.isZero() ? 0 : tokens * 1e9 / time.toNanos();
    }
}
