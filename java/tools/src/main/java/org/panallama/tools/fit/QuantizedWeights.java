package org.panallama.tools.fit;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.panallama.LlamaException;
import org.panallama.ModelLoadException;
import org.panallama.fit.Weights;
import org.panallama.internal.GgufPreflight;
import org.panallama.internal.GgufTensor;
import org.panallama.internal.ModelSummary;
import org.panallama.tools.imatrix.Imatrix;
import org.panallama.tools.imatrix.TensorActivations;
import org.panallama.tools.quantize.FileType;
import org.panallama.tools.quantize.QuantizeOptions;
import org.panallama.tools.quantize.Quantizer;

/** What a model's tensors would be in other file types, from the header of its file. Immutable. */
public final class QuantizedWeights {

    private final ModelSummary summary;
    private final int layers;
    private final Imatrix imatrix;

    private QuantizedWeights(ModelSummary summary, int layers) {
        this.summary = summary;
        this.layers = layers;
        this.imatrix = flatImatrix();
    }

    /**
     * Reads the header of a file, and of the other parts of a split model.
     *
     * @param layers of the model
     * @throws ModelLoadException if it could not be loaded
     */
    public static QuantizedWeights read(Path file, int layers) {
        return new QuantizedWeights(GgufPreflight.check(file), layers);
    }

    /**
     * The tensors in a file type, mixtures and all, as llama.cpp's dry run says; of a type that needs an importance matrix, as
     * with one.
     *
     * @throws LlamaException if llama.cpp cannot quantize the model to it
     */
    public Weights in(FileType type) {
        QuantizeOptions options = QuantizeOptions.builder(type)
                .allowRequantize(true)
                .imatrix(imatrix, "none")
                .build();
        List<Weights.Tensor> tensors = new Quantizer(options)
                .plan(summary.file().path()).tensors().stream()
                        .map(plan -> new Weights.Tensor(plan.name(), plan.elements(), plan.bytesAfter()))
                        .toList();
        return Weights.of(type.name(), layers, tensors);
    }

    /** One that says nothing, for formats to be planned that cannot do without. */
    private Imatrix flatImatrix() {
        Map<String, TensorActivations> flat = new HashMap<>();
        for (GgufTensor tensor : summary.tensors()) {
            if (tensor.shape().size() > 1) {
                float[] squares = new float[(int) (tensor.dimension(0) * tensor.dimension(2))];
                long[] counts = new long[(int) tensor.dimension(2)];
                Arrays.fill(squares, 1);
                Arrays.fill(counts, 1);
                flat.put(tensor.name(), new TensorActivations(squares, counts));
            }
        }
        return new Imatrix(flat, List.of(), 1, 1, null);
    }
}
