package org.panallama.gguf;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoublePredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Stacks the experts of an old mixture-of-experts file, which current llama.cpp refuses: the tensors
 * {@code blk.N.ffn_gate.E.weight}, one for each expert E, become {@code blk.N.ffn_gate_exps.weight} with the experts as
 * the last dimension; {@code ffn_up} and {@code ffn_down} likewise. The numbers are copied as they are, quantized ones
 * too.
 */
public final class ExpertStacking {

    private static final Pattern EXPERT =
            Pattern.compile("(?<front>.*\\bffn_(?:gate|up|down))\\.(?<expert>\\d{1,6})\\.(?<back>weight|bias)");

    private final GgufModel model;
    private final Map<String, TreeMap<Integer, GgufTensor>> stacks = new LinkedHashMap<>();

    private ExpertStacking(GgufModel model) {
        this.model = model;
    }

    /**
     * Finds the experts of a model.
     *
     * @throws GgufException if experts of a layer are missing, or differ in type or shape
     */
    public static ExpertStacking of(GgufModel model) throws GgufException {
        ExpertStacking stacking = new ExpertStacking(model);
        for (GgufTensor tensor : model.tensors()) {
            Matcher name = EXPERT.matcher(tensor.name());
            if (name.matches()) {
                GgufTensor twin = stacking.stacks
                        .computeIfAbsent(stackName(name), key -> new TreeMap<>())
                        .put(Integer.valueOf(name.group("expert")), tensor);
                if (twin != null) {
                    throw stacking.refused(tensor, "is the same expert as '" + twin.name() + "'");
                }
            }
        }
        for (Map.Entry<String, TreeMap<Integer, GgufTensor>> stack : stacking.stacks.entrySet()) {
            stacking.check(stack.getKey(), stack.getValue());
        }
        return stacking;
    }

    private static String stackName(Matcher name) {
        return name.group("front") + "_exps." + name.group("back");
    }

    private void check(String name, TreeMap<Integer, GgufTensor> experts) throws GgufException {
        GgufTensor first = experts.firstEntry().getValue();
        GgufValue declared = model.metadata().get(architecture() + ".expert_count");
        long count = declared != null && declared.type().isInteger() ? declared.integer() : experts.lastKey() + 1;
        for (int i = 0; i < Math.max(count, experts.lastKey() + 1L); i++) {
            GgufTensor expert = experts.get(i);
            if (expert == null) {
                throw refused(first, "belongs to a layer whose expert " + i + " is missing, of " + count);
            }
            if (i >= count) {
                throw refused(expert, "is one more than the " + count + " experts that the metadata declares");
            }
            if (expert.type() != first.type() || !expert.shape().equals(first.shape())) {
                throw refused(
                        expert,
                        "has type " + expert.ggmlType() + " and shape " + expert.shape() + ", but '" + first.name()
                                + "' has " + first.ggmlType() + " and " + first.shape()
                                + "; one tensor cannot hold both, get the model quantized anew");
            }
        }
        if (first.shape().size() >= GgufTensor.MAX_DIMENSIONS) {
            throw refused(first, "has no dimension left for the experts");
        }
        if (model.tensors().stream().anyMatch(tensor -> tensor.name().equals(name))) {
            throw refused(first, "is to become part of '" + name + "', which the file has already");
        }
    }

    private String architecture() {
        GgufValue value = model.metadata().get("general.architecture");
        return value != null && value.type() == GgufType.STRING ? value.string() : "llama";
    }

    private GgufException refused(GgufTensor tensor, String why) {
        GgufFile file = model.file(tensor);
        return new GgufException(file.path(), file.offset(tensor), "tensor '" + tensor.name() + "' " + why);
    }

    /** Returns the tensors that {@link #write} will make; empty where there is nothing to stack. */
    public List<GgufTensor> stacked() {
        List<GgufTensor> tensors = new ArrayList<>();
        stacks.forEach((name, experts) -> tensors.add(stack(name, experts)));
        return tensors;
    }

    private static GgufTensor stack(String name, TreeMap<Integer, GgufTensor> experts) {
        GgufTensor one = experts.firstEntry().getValue();
        List<Long> shape = new ArrayList<>(one.shape());
        shape.add((long) experts.size());
        return GgufTensor.of(name, one.ggmlType(), shape);
    }

    /**
     * Writes the model into one file with its experts stacked. A stack stands where its first expert stood.
     *
     * @param target where it will be; a file there is replaced once the new one is complete
     * @param progress gets the fraction done, from 0 to 1; {@code false} cancels
     * @throws java.util.concurrent.CancellationException if {@code progress} cancelled; nothing is left behind
     * @throws IOException if a file cannot be read or written
     */
    public void write(Path target, DoublePredicate progress) throws IOException {
        Composition composition = new Composition(model.format(), model.metadata());
        Map<String, TreeMap<Integer, GgufTensor>> left = new LinkedHashMap<>(stacks);
        for (GgufTensor tensor : model.tensors()) {
            Matcher name = EXPERT.matcher(tensor.name());
            if (!name.matches()) {
                composition.add(tensor, writer -> writer.write(model.file(tensor), tensor));
                continue;
            }
            TreeMap<Integer, GgufTensor> experts = left.remove(stackName(name));
            if (experts != null) {
                composition.add(stack(stackName(name), experts), writer -> {
                    for (GgufTensor expert : experts.values()) {
                        writer.write(model.file(expert), expert);
                    }
                });
            }
        }
        composition.write(target, progress);
    }
}
