package org.panallama.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.panallama.Generation;
import org.panallama.Timings;
import org.panallama.TokenLogprob;

/** What stderr says of a generation: its speed, and the log-probabilities asked for. */
final class GenerationReport {

    private final PrintStream err;

    GenerationReport(PrintStream err) {
        this.err = err;
    }

    void loadTime(Duration time) {
        err.printf(Locale.ROOT, "load:       %.2f s%n", seconds(time));
    }

    void timings(Generation generation) {
        Timings timings = generation.timings();
        rate("prompt:", timings.promptTokens(), timings.promptTime(), timings.promptTokensPerSecond());
        rate("generation:", timings.generatedTokens(), timings.generationTime(), timings.generatedTokensPerSecond());
    }

    void logprobs(List<TokenLogprob> tokens) {
        for (TokenLogprob token : tokens) {
            err.println(describe(token) + top(token.top()));
        }
    }

    private void rate(String what, int tokens, Duration time, double perSecond) {
        String count = tokens + (tokens == 1 ? " token" : " tokens");
        // Nothing can be said of a prompt that was remembered, or of one token, which came with the prompt.
        String rate = perSecond == 0 ? "" : String.format(Locale.ROOT, " (%.1f tokens/s)", perSecond);
        err.printf(Locale.ROOT, "%-11s %s in %.2f s%s%n", what, count, seconds(time), rate);
    }

    private static String top(List<TokenLogprob> tokens) {
        StringBuilder text = new StringBuilder();
        for (TokenLogprob token : tokens) {
            text.append("  | ").append(describe(token));
        }
        return text.toString();
    }

    private static String describe(TokenLogprob token) {
        return String.format(Locale.ROOT, "%9.4f %s", token.logprob(), Printable.quoted(token.piece()));
    }

    private static double seconds(Duration time) {
        return time.toNanos() / 1e9;
    }
}
