package org.panallama.tools.quantize;

import java.util.List;

/**
 * What quantization does to a model.
 *
 * @param fileType what it is quantized to
 * @param tensors its tensors, in the order of the output
 */
public record QuantizationPlan(FileType fileType, List<TensorPlan> tensors) {

    /** Copies the list. */
    public QuantizationPlan {
        tensors = List.copyOf(tensors);
    }

    /** Bytes of the tensors in the input. */
    public long bytesBefore() {
        return tensors.stream().mapToLong(TensorPlan::bytesBefore).sum();
    }

    /** Bytes of the tensors in the output; the file is larger by its metadata. */
    public long bytesAfter() {
        return tensors.stream().mapToLong(TensorPlan::bytesAfter).sum();
    }

    /** The number of weights. */
    public long elements() {
        return tensors.stream().mapToLong(TensorPlan::elements).sum();
    }

    /** Bits for each weight in the input, over all tensors. */
    public double bitsPerWeightBefore() {
        return 8.0 * bytesBefore() / elements();
    }

    /** Bits for each weight in the output, over all tensors. */
    public double bitsPerWeight() {
        return 8.0 * bytesAfter() / elements();
    }

    /** The tensors that get another format than the file type has for them, since their rows are no whole number of blocks. */
    public List<TensorPlan> fallbacks() {
        return tensors.stream().filter(tensor -> tensor.wanted() != null).toList();
    }
}
