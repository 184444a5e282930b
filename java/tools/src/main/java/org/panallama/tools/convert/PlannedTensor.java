package org.panallama.tools.convert;

import java.util.List;
import org.panallama.gguf.GgmlType;
import org.panallama.gguf.GgufTensor;

/**
 * A tensor of the GGUF file and what it is made of.
 *
 * @param tensor its name, format and shape
 * @param parts of the checkpoint, one after the other
 * @param values if it is computed: its elements, and there are no parts
 */
record PlannedTensor(GgufTensor tensor, List<TensorPart> parts, List<Float> values) {

    static PlannedTensor of(GgufTensor tensor, List<TensorPart> parts) {
        return new PlannedTensor(tensor, List.copyOf(parts), List.of());
    }

    static PlannedTensor computed(String name, List<Float> values) {
        GgufTensor tensor = GgufTensor.of(name, GgmlType.F32, List.of((long) values.size()));
        return new PlannedTensor(tensor, List.of(), List.copyOf(values));
    }

    String name() {
        return tensor.name();
    }

    GgmlType format() {
        return tensor.ggmlType();
    }
}
