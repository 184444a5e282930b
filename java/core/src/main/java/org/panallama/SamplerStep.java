package org.panallama;

import java.util.function.Consumer;
import org.panallama.spi.Binding;

/**
 * One link of a sampler chain, before there is a model to make it for.
 *
 * @param place where it goes in the usual order
 * @param history whether it looks at the tokens before, so that a new text has to reset it
 * @param factory makes the native sampler
 */
record SamplerStep(Place place, boolean history, Factory factory) {

    /** The usual order: what forbids and penalises, what cuts the candidates, the temperature, and last what chooses. */
    enum Place {
        LOGIT_BIAS,
        PENALTIES,
        DRY,
        TOP_N_SIGMA,
        TOP_K,
        TYPICAL,
        TOP_P,
        MIN_P,
        XTC,
        TEMPERATURE,
        CUSTOM,
        INFILL,
        CHOICE
    }

    /** Makes a native sampler for a model; returns 0 if llama.cpp refuses. */
    @FunctionalInterface
    interface Factory {
        long create(Binding binding, Target target);
    }

    /**
     * What a factory needs to know of the model and the chain.
     *
     * @param seed for random choices
     * @param minKeep the fewest candidates that a filter leaves
     * @param failed receives what a custom sampler throws
     */
    record Target(long vocab, int vocabSize, int seed, int minKeep, Consumer<RuntimeException> failed) {}
}
