package org.panallama.tools.imatrix;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.panallama.LlamaException;

/**
 * An importance matrix: for each weight tensor of a model, how strong the activations are that its columns are multiplied by.
 * Quantizers keep the columns that matter most nearest to what they were. Made by {@link ImatrixCollector}, or by llama.cpp's
 * {@code llama-imatrix}, whose file format this is. Immutable, but for the arrays in it.
 */
public final class Imatrix {

    private final SortedMap<String, TensorActivations> tensors;
    private final List<String> datasets;
    private final int chunkCount;
    private final int chunkSize;
    private final @Nullable TextPosition position;

    /**
     * One from numbers that are known.
     *
     * @param tensors the activations by name of the tensor
     * @param datasets the names of the texts
     * @param chunkCount how many pieces of text
     * @param chunkSize tokens in each, 0 if unknown
     * @param position where the collection can go on, or {@code null}
     */
    public Imatrix(
            Map<String, TensorActivations> tensors,
            List<String> datasets,
            int chunkCount,
            int chunkSize,
            @Nullable TextPosition position) {
        this.tensors = Collections.unmodifiableSortedMap(new TreeMap<>(tensors));
        this.datasets = List.copyOf(datasets);
        this.chunkCount = chunkCount;
        this.chunkSize = chunkSize;
        this.position = position;
    }

    /**
     * Reads a file in llama.cpp's GGUF format, or in the older one ({@code .dat}).
     *
     * @throws LlamaException if it cannot be read, or is damaged
     */
    public static Imatrix read(Path file) {
        return ImatrixFile.read(file);
    }

    /**
     * Writes a file in llama.cpp's GGUF format, which appears when it is complete.
     *
     * @throws LlamaException if it cannot be written
     */
    public void write(Path file) {
        ImatrixFile.write(this, file);
    }

    /**
     * The sum of several, as if collected from all their texts.
     *
     * @throws IllegalArgumentException if there are none, or they are of different models
     */
    public static Imatrix combined(List<Imatrix> parts) {
        if (parts.isEmpty()) {
            throw new IllegalArgumentException("there is no importance matrix to combine");
        }
        Map<String, TensorActivations> tensors = new TreeMap<>();
        List<String> datasets = new ArrayList<>();
        long chunks = 0;
        for (Imatrix part : parts) {
            if (parts.size() > 1 && part.chunkSize == 0) {
                throw new IllegalArgumentException(
                        "an importance matrix in the old format (.dat) holds means, not sums, so"
                                + " that it cannot be combined with others; convert it with llama-imatrix");
            }
            part.tensors.forEach(
                    (name, activations) -> tensors.merge(name, activations, (some, more) -> some.plus(name, more)));
            datasets.addAll(part.datasets);
            chunks += part.chunkCount;
        }
        return new Imatrix(tensors, datasets, (int) Math.min(chunks, Integer.MAX_VALUE), parts.get(0).chunkSize, null);
    }

    /** The activations by name of the weight tensor, in alphabetical order. */
    public SortedMap<String, TensorActivations> tensors() {
        return tensors;
    }

    /** The names of the texts that it was collected from. */
    public List<String> datasets() {
        return datasets;
    }

    /** How many pieces of text it was collected from. */
    public int chunkCount() {
        return chunkCount;
    }

    /** Tokens in a piece of text; 0 for a file of the older format, which does not say. */
    public int chunkSize() {
        return chunkSize;
    }

    /** Where the collection can go on, if it was made by {@link ImatrixCollector} and not combined. */
    public @Nullable TextPosition position() {
        return position;
    }

    /**
     * The columns' weights for a quantizer, by name of the tensor.
     *
     * @param unseen what to do for experts that the text never reached
     * @throws LlamaException if there are such experts and {@code unseen} is {@link UnseenExperts#REFUSE}
     */
    public Map<String, float[]> importance(UnseenExperts unseen) {
        Map<String, float[]> importance = new LinkedHashMap<>();
        tensors.forEach((name, activations) -> importance.put(name, activations.importance(name, unseen)));
        return importance;
    }

    /** How often the experts of each layer were reached, by layer; empty for a model without experts. */
    public SortedMap<Integer, long[]> expertCounts() {
        SortedMap<Integer, long[]> counts = new TreeMap<>();
        tensors.forEach((name, activations) -> {
            int layer = layer(name);
            if (layer >= 0 && activations.counts().length > 1) {
                counts.putIfAbsent(layer, activations.counts().clone());
            }
        });
        return counts;
    }

    /** The layer of a tensor named {@code blk.N.…}, or -1. */
    private static int layer(String name) {
        String[] parts = name.split("\\.", 3);
        return parts.length == 3 && parts[0].equals("blk") && parts[1].matches("\\d{1,6}")
                ? Integer.parseInt(parts[1])
                : -1;
    }
}
