package org.panallama.fit;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tensors of a model in one file type, by where llama.cpp can put them. Sizes are in bytes.
 *
 * @param type the file type's name
 * @param elements number of weights
 * @param input token embeddings, which stay in main memory
 * @param pinned what else stays there, since somebody wants it to
 * @param output what comes after the last layer; with embeddings that serve as output, too, only the norm
 * @param layers of each layer, everything that may go to a GPU
 * @param experts of each layer, the experts among it
 * @param largest the largest tensor of a layer
 */
public record Weights(
        String type,
        long elements,
        long input,
        long pinned,
        long output,
        List<Long> layers,
        List<Long> experts,
        long largest) {

    private static final Pattern LAYER = Pattern.compile("blk\\.(\\d{1,5})\\..*");
    private static final Pattern EXPERTS = Pattern.compile("_(ch|)exps\\.");

    /** Copies the lists. */
    public Weights {
        layers = List.copyOf(layers);
        experts = List.copyOf(experts);
    }

    /**
     * A tensor.
     *
     * @param name llama.cpp's name of it
     * @param elements how many weights
     * @param bytes its size
     */
    public record Tensor(String name, long elements, long bytes) {}

    /** Sorts tensors. */
    public static Weights of(String type, int layerCount, List<Tensor> tensors) {
        return of(type, layerCount, tensors, List.of());
    }

    /**
     * Sorts tensors, some of which stay in main memory.
     *
     * @param inMainMemory patterns, each searched for anywhere in a tensor's name
     */
    public static Weights of(String type, int layerCount, List<Tensor> tensors, List<Pattern> inMainMemory) {
        Long[] layers = new Long[layerCount];
        Long[] experts = new Long[layerCount];
        Arrays.fill(layers, 0L);
        Arrays.fill(experts, 0L);
        long input = 0;
        long pinned = 0;
        long output = 0;
        long largest = 0;
        for (Tensor tensor : tensors) {
            Matcher matcher = LAYER.matcher(tensor.name);
            int layer = matcher.matches() ? Integer.parseInt(matcher.group(1)) : layerCount;
            if (layer < layerCount) {
                largest = Math.max(largest, tensor.bytes);
            }
            if (tensor.name.equals("token_embd.weight")) {
                input += tensor.bytes;
            } else if (inMainMemory.stream()
                    .anyMatch(pattern -> pattern.matcher(tensor.name).find())) {
                pinned += tensor.bytes;
            } else if (layer < layerCount) {
                layers[layer] += tensor.bytes;
                experts[layer] += EXPERTS.matcher(tensor.name).find() ? tensor.bytes : 0;
            } else {
                output += tensor.bytes;
            }
        }
        long elements = tensors.stream().mapToLong(Tensor::elements).sum();
        return new Weights(type, elements, input, pinned, output, List.of(layers), List.of(experts), largest);
    }

    /** All tensors. */
    public long bytes() {
        return input + pinned + output + sum(layers);
    }

    /** All experts that may go to a GPU. */
    public long expertBytes() {
        return sum(experts);
    }

    /** Bits for each weight. */
    public double bitsPerWeight() {
        return elements == 0 ? 0 : 8.0 * bytes() / elements;
    }

    static long sum(List<Long> sizes) {
        return sizes.stream().mapToLong(Long::longValue).sum();
    }
}
