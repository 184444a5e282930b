package org.panallama.tools.fit;

import java.util.List;
import java.util.Optional;
import org.panallama.TensorType;
import org.panallama.fit.MachineMemory;
import org.panallama.fit.MemoryNeed;
import org.panallama.fit.ModelMemory;
import org.panallama.fit.Placement;
import org.panallama.fit.Weights;

/**
 * How a model fits a machine in several file types.
 *
 * @param choices a row for each, in the order given
 */
public record Fit(List<Choice> choices) {

    /** Copies the list. */
    public Fit {
        choices = List.copyOf(choices);
    }

    /**
     * A file type.
     *
     * @param weights its tensors
     * @param need of memory
     * @param placement where the parts go
     * @param longestContext tokens of context that fit into all memory of the machine, at most as many as trained for
     */
    public record Choice(Weights weights, MemoryNeed need, Placement placement, long longestContext) {}

    /**
     * Fits a model.
     *
     * @param types its tensors in each file type to look at
     * @param contextLength tokens
     * @param keys format of the keys in the KV cache
     * @param values format of its values
     * @param microBatch tokens computed at once
     */
    public static Fit of(
            ModelMemory model,
            List<Weights> types,
            MachineMemory machine,
            long contextLength,
            TensorType keys,
            TensorType values,
            int microBatch) {
        long memory = machine.available() + machine.gpuAvailable();
        return new Fit(types.stream()
                .map(weights -> {
                    MemoryNeed need = model.need(weights, contextLength, keys, values, microBatch);
                    return new Choice(
                            weights,
                            need,
                            Placement.best(weights, need, machine),
                            model.longestContext(weights, keys, values, microBatch, memory));
                })
                .toList());
    }

    /** The largest that fits, which loses least; empty if none does. */
    public Optional<Choice> best() {
        return choices.stream()
                .filter(choice -> choice.placement().fits())
                .max((a, b) -> Long.compare(a.need().weights(), b.need().weights()));
    }
}
