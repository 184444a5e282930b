package org.panallama.tools.fit;

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
 * @param output what comes after the last layer; with embeddings that serve as output, too, only the norm
 * @param layers of each layer, everything
 * @param experts of each layer, the experts
 */
public record Weights(String type, long elements, long input, long output, List<Long> layers, List<Long> experts) {

    private static final Pattern LAYER = Pattern.compile("blk\\.(\\d{1,5})\\..*");

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
        Long[] layers = new Long[layerCount];
        Long[] experts = new Long[layerCount];
        Arrays.fill(layers, 0L);
        Arrays.fill(experts, 0L);
        long input = 0;
        long output = 0;
        for (Tensor tensor : tensors) {
            Matcher layer = LAYER.matcher(tensor.name);
            if (layer.matches() && Integer.parseInt(layer.group(1)) < layerCount) {
                int index = Integer.parseInt(layer.group(1));
                layers[index] += tensor.bytes;
                experts[index] += tensor.name.contains("_exps.") ? tensor.bytes : 0;
            } else if (tensor.name.equals("token_embd.weight")) {
                input += tensor.bytes;
            } else {
                output += tensor.bytes;
            }
        }
        long elements = tensors.stream().mapToLong(Tensor::elements).sum();
        return new Weights(type, elements, input, output, List.of(layers), List.of(experts));
    }

    /** All tensors. */
    public long bytes() {
        return input + output + sum(layers);
    }

    /** All experts. */
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
