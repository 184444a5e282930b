package org.panallama.cli;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.panallama.Llama;
import org.panallama.ModelLoadException;
import org.panallama.TensorType;
import org.panallama.internal.GgufPreflight;
import org.panallama.internal.GgufTensor;
import org.panallama.internal.GgufValue;
import org.panallama.internal.ModelSummary;
import org.panallama.internal.NativeRuntime;

/** What a GGUF file tells of its model without loading the weights. */
final class ModelFacts {

    private static final String FILE_TYPE = "general.file_type";

    private final ModelSummary summary;
    private final Map<String, String> scalars = new LinkedHashMap<>();

    private ModelFacts(ModelSummary summary) {
        this.summary = summary;
        summary.file().metadata().forEach((key, value) -> {
            if (!value.isArray()) {
                scalars.put(key, MetadataText.scalar(value));
            }
        });
    }

    /**
     * Reads a file, and the other parts of a split model.
     *
     * @throws ModelLoadException if it could not be loaded
     */
    static ModelFacts read(Path file) {
        return new ModelFacts(GgufPreflight.check(file));
    }

    /** The tensors of one number format. */
    record TypeShare(TensorType type, int count, long bytes) {}

    Path file() {
        return summary.file().path();
    }

    int parts() {
        return summary.parts().size();
    }

    long fileBytes() {
        return summary.parts().stream().mapToLong(part -> part.size()).sum();
    }

    Map<String, GgufValue> metadata() {
        return summary.file().metadata();
    }

    /** The metadata that {@link org.panallama.KvCacheSize} reads. */
    Map<String, String> scalars() {
        return scalars;
    }

    String name() {
        return scalars.getOrDefault("general.name", "");
    }

    String architecture() {
        return summary.architecture();
    }

    String tokenizer() {
        return summary.tokenizer();
    }

    long vocabSize() {
        GgufValue tokens = metadata().get("tokenizer.ggml.tokens");
        return tokens == null ? number("vocab_size") : tokens.length();
    }

    List<GgufTensor> tensors() {
        return summary.tensors();
    }

    long weightBytes() {
        return summary.tensorBytes();
    }

    long parameters() {
        return tensors().stream().mapToLong(GgufTensor::elements).sum();
    }

    /** The parameters that compute one token: of the experts, only those used. */
    long activeParameters() {
        long experts = number("expert_count");
        if (experts == 0) {
            return parameters();
        }
        long inExperts = tensors().stream()
                .filter(ModelFacts::isExpert)
                .mapToLong(GgufTensor::elements)
                .sum();
        return parameters() - inExperts + inExperts / experts * number("expert_used_count");
    }

    long expertBytes() {
        return tensors().stream()
                .filter(ModelFacts::isExpert)
                .mapToLong(GgufTensor::bytes)
                .sum();
    }

    private static boolean isExpert(GgufTensor tensor) {
        return tensor.name().contains("_exps.");
    }

    double bitsPerWeight() {
        long parameters = parameters();
        return parameters == 0 ? 0 : 8.0 * weightBytes() / parameters;
    }

    /** What llama.cpp calls the mix of formats; the most common format where llama.cpp cannot be asked. */
    String fileType() {
        OptionalLong number = summary.file().integer(FILE_TYPE);
        if (number.isPresent() && Llama.isAvailable()) {
            return NativeRuntime.get().binding().fileTypeName((int) number.getAsLong());
        }
        return byType().stream()
                .findFirst()
                .map(share -> share.type().toString())
                .orElse("none");
    }

    /** The formats with the most bytes first. */
    List<TypeShare> byType() {
        Map<TensorType, TypeShare> shares = new TreeMap<>();
        for (GgufTensor tensor : tensors()) {
            shares.merge(
                    tensor.type(),
                    new TypeShare(tensor.type(), 1, tensor.bytes()),
                    (a, b) -> new TypeShare(a.type(), a.count() + b.count(), a.bytes() + b.bytes()));
        }
        return shares.values().stream()
                .sorted(Comparator.comparingLong(TypeShare::bytes).reversed())
                .toList();
    }

    /** An integer of the architecture, 0 if there is none; of one that differs between layers, the largest. */
    long number(String key) {
        return summary.number(key);
    }
}
