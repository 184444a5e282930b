package org.panallama.tools;

import java.util.List;
import java.util.stream.Collectors;

/**
 * The sizes of a model.
 *
 * @param name for instance {@code mixtral-8x7b}
 * @param architecture as llama.cpp calls it: {@code llama}, {@code qwen3moe} or {@code gpt-oss}
 * @param layers how many the model itself has
 * @param embedding width of the hidden state
 * @param feedForward width of the feed-forward network; where there are experts, of each
 * @param heads attention heads
 * @param kvHeads heads of keys and values
 * @param headSize width of a head
 * @param experts experts in a layer, 0 for none
 * @param expertsUsed experts that compute a token
 * @param vocabulary tokens
 * @param contextLength tokens that it was trained for
 * @param ropeBase base frequency of the rotary position embedding
 * @param normEpsilon epsilon of the norms
 */
public record ModelShape(
        String name,
        String architecture,
        int layers,
        int embedding,
        int feedForward,
        int heads,
        int kvHeads,
        int headSize,
        int experts,
        int expertsUsed,
        int vocabulary,
        int contextLength,
        float ropeBase,
        float normEpsilon) {

    /** Mixtral 8x7B, and Chinese-Mixtral with it: 8 large experts. */
    public static final ModelShape MIXTRAL_8X7B =
            new ModelShape("mixtral-8x7b", "llama", 32, 4096, 14336, 32, 8, 128, 8, 2, 32000, 32768, 1e6f, 1e-5f);

    /** Qwen3 30B-A3B: 128 small experts, normalised queries and keys. */
    public static final ModelShape QWEN3_30B_A3B =
            new ModelShape("qwen3-30b-a3b", "qwen3moe", 48, 2048, 768, 32, 4, 128, 128, 8, 151936, 40960, 1e6f, 1e-6f);

    /** gpt-oss 20B: 32 experts, biases, attention sinks, sliding windows. */
    public static final ModelShape GPT_OSS_20B =
            new ModelShape("gpt-oss-20b", "gpt-oss", 24, 2880, 2880, 64, 8, 64, 32, 4, 201088, 131072, 150000f, 1e-5f);

    /** Llama 3 8B: no experts. */
    public static final ModelShape LLAMA_3_8B =
            new ModelShape("llama-3-8b", "llama", 32, 4096, 14336, 32, 8, 128, 0, 0, 128256, 8192, 5e5f, 1e-5f);

    private static final List<ModelShape> ALL = List.of(MIXTRAL_8X7B, QWEN3_30B_A3B, GPT_OSS_20B, LLAMA_3_8B);

    /**
     * Returns the well-known shape with a name.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static ModelShape of(String name) {
        return ALL.stream()
                .filter(shape -> shape.name.equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("the shape '" + name + "' is unknown; choose one of "
                        + ALL.stream().map(ModelShape::name).collect(Collectors.joining(", "))));
    }
}
