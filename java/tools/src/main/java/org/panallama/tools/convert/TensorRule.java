package org.panallama.tools.convert;

import java.util.List;

/**
 * Where a tensor of the GGUF file comes from. {@code {l}} stands for a layer in every pattern.
 *
 * @param target its name in the GGUF file
 * @param shape names of its dimensions, see {@link ModelConfig#dimensions()}, the slowest-varying first
 * @param trait what is special about it
 * @param sources patterns of names in the checkpoint, the first that exists counts. With {@code {e}} it names one matrix
 *     per expert, which are stacked; with {@code #1/2} or {@code #2/2} at the end the tensor is that half of each expert's
 *     rows
 */
record TensorRule(String target, List<String> shape, Trait trait, List<String> sources) {

    enum Trait {
        /** Must be there. */
        NEEDED,
        /** May be absent. */
        OPTIONAL,
        /** The query's projection: rows of each head are reordered for llama.cpp's rotary embedding. May be absent if a bias. */
        ROTARY_Q,
        /** The same of the keys. */
        ROTARY_K,
        /** The output matrix: absent if it is tied to the embedding. */
        OUTPUT,
        /** The rows of the output matrix that belong to the answers of a {@link Qwen3Reranker}. */
        ANSWERS,
        /** Position embeddings, whose first rows RoBERTa does not use. */
        POSITIONS
    }

    static TensorRule of(String target, String shape, Trait trait, String... sources) {
        return new TensorRule(target, List.of(shape.split(",")), trait, List.of(sources));
    }

    boolean perLayer() {
        return target.contains("{l}");
    }

    boolean mayBeAbsent() {
        return trait == Trait.OPTIONAL
                || trait == Trait.OUTPUT
                || (trait == Trait.ROTARY_Q || trait == Trait.ROTARY_K) && target.endsWith(".bias");
    }
}
