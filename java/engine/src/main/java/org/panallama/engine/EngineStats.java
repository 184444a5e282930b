package org.panallama.engine;

/**
 * What an engine is doing and has done.
 *
 * @param running requests being computed
 * @param waiting requests in the queue
 * @param parallel requests that can be computed at once
 * @param contextLength tokens that fit into the context
 * @param cachedTokens tokens that the context remembers, those of shared beginnings counted once for each request
 * @param promptTokens computed for prompts so far
 * @param reusedTokens of prompts that had not to be computed
 * @param generatedTokens so far
 * @param draftedTokens guessed ahead so far
 * @param acceptedTokens how many of those were right
 * @param steps batches computed so far
 */
public record EngineStats(
        int running,
        int waiting,
        int parallel,
        int contextLength,
        long cachedTokens,
        long promptTokens,
        long reusedTokens,
        long generatedTokens,
        long draftedTokens,
        long acceptedTokens,
        long steps) {}
