package org.panallama;

import java.time.Duration;

/**
 * What llama.cpp counted since the context was opened or the counters were reset.
 *
 * @param promptTokens tokens decoded in batches of more than one
 * @param promptTime time they took
 * @param decodedTokens tokens decoded one at a time
 * @param decodeTime time they took
 * @param graphsReused computations that could reuse the graph of the one before
 */
public record PerformanceCounters(
        int promptTokens, Duration promptTime, int decodedTokens, Duration decodeTime, int graphsReused) {}
