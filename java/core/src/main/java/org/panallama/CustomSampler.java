package org.panallama;

/**
 * A sampler written in Java. It sees and changes the candidates for the next token.
 *
 * <p>Called on the thread that samples. An exception comes out of the call that sampled, with no token chosen.
 */
@FunctionalInterface
public interface CustomSampler {

    /** Changes logits, removes candidates, or, as a {@linkplain Sampler.Builder#selector selector}, chooses one. */
    void apply(Candidates candidates);

    /** Learns of a token that was chosen, or was in the prompt. */
    default void accept(int token) {}

    /** Forgets the tokens accepted so far. */
    default void reset() {}

    /** A copy with the same state for {@link Sampler#copy()}; a sampler without state may return itself. */
    default CustomSampler copy() {
        return this;
    }
}
