package org.panallama.engine;

import java.time.Duration;
import java.util.List;
import org.panallama.FinishReason;
import org.panallama.Timings;
import org.panallama.TokenLogprob;
import org.panallama.Usage;

/**
 * A whole answer.
 *
 * @param text without stop string and special tokens
 * @param tokens the ids generated, with the one that ended the text
 * @param logprobs of the tokens; empty unless asked for
 * @param finishReason why it ended
 * @param usage tokens taken
 * @param timings time taken, from when the request left the queue
 * @param waited time in the queue
 * @param drafted tokens that were guessed ahead
 * @param accepted how many of those were right
 */
public record Result(
        String text,
        int[] tokens,
        List<TokenLogprob> logprobs,
        FinishReason finishReason,
        Usage usage,
        Timings timings,
        Duration waited,
        int drafted,
        int accepted) {

    @Override
    public String toString() {
        return text;
    }
}
