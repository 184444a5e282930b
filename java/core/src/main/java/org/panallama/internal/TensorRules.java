package org.panallama.internal;

import java.util.EnumSet;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.panallama.ModelLoadException;
import org.panallama.TensorType;

/** Refuses tensors in formats that llama.cpp's CPU operators cannot compute with and would abort on. */
final class TensorRules {
    private static final Set<TensorType> NEVER_WEIGHTS = EnumSet.of(
            TensorType.I8,
            TensorType.I16,
            TensorType.I32,
            TensorType.I64,
            TensorType.F64,
            TensorType.Q8_1,
            TensorType.Q8_K);

    // A table from token to experts, the only weights that are numbers of something.
    private static final String EXPERT_TABLE = "ffn_gate_tid2eid.weight";

    // Added or multiplied element by element, which ggml does in single precision only.
    private static final Pattern ELEMENTWISE =
            Pattern.compile(".*(\\.bias|\\.scale|\\.input_scale|_norm[_0-9]*\\.weight"
                    + "|ssm_conv1d\\.weight|ssm_a|ssm_d|rope_freqs\\.weight|rope_factors_(long|short)\\.weight)");

    // As converters wrote them before April 2024.
    private static final Pattern SINGLE_EXPERT = Pattern.compile("blk\\.\\d+\\.ffn_(gate|up|down)\\.\\d+\\.weight");

    private TensorRules() {}

    /** Checks all tensors of a file. */
    static void check(GgufFile file) {
        for (GgufTensor tensor : file.tensors()) {
            TensorType type = tensor.type();
            if (SINGLE_EXPERT.matcher(tensor.name()).matches()) {
                throw new ModelLoadException(
                        file.path(),
                        "tensor '" + tensor.name() + "' is a single expert, as in files from before April 2024, which"
                                + " llama.cpp no longer loads; 'panallama gguf stack-experts' or"
                                + " org.panallama.gguf.ExpertStacking makes a file that it loads");
            }
            if (tensor.name().endsWith(EXPERT_TABLE)) {
                if (type != TensorType.I32) {
                    throw refused(file, tensor, "only I32");
                }
                continue;
            }
            if (NEVER_WEIGHTS.contains(type)) {
                throw refused(file, tensor, "only floating-point and weight quantization types");
            }
            boolean vector = tensor.shape().size() <= 1;
            if (type != TensorType.F32
                    && (vector || ELEMENTWISE.matcher(tensor.name()).matches())) {
                throw refused(file, tensor, "only F32");
            }
        }
        checkScaled(file);
    }

    private static ModelLoadException refused(GgufFile file, GgufTensor tensor, String supported) {
        return new ModelLoadException(
                file.path(),
                "tensor '" + tensor.name() + "' is stored as " + tensor.type() + "; llama.cpp can use " + supported
                        + " there");
    }

    /** NVFP4 matrices come with a scale, which llama.cpp cannot combine with a bias or with tied embeddings. */
    private static void checkScaled(GgufFile file) {
        Set<String> names = file.tensors().stream().map(GgufTensor::name).collect(Collectors.toSet());
        for (GgufTensor tensor : file.tensors()) {
            if (tensor.type() != TensorType.NVFP4 || !tensor.name().endsWith(".weight")) {
                continue;
            }
            String stem = tensor.name().substring(0, tensor.name().length() - ".weight".length());
            boolean tied = stem.equals("token_embd")
                    && !names.contains("output.weight")
                    && (names.contains("output.scale") || names.contains("output.input_scale"));
            boolean biased = names.contains(stem + ".bias") && names.contains(stem + ".scale");
            if (tied || biased) {
                throw new ModelLoadException(
                        file.path(),
                        "tensor '" + tensor.name() + "' is NVFP4 with a separate scale, which llama.cpp cannot use "
                                + (tied ? "for tied embeddings" : "together with a bias"));
            }
        }
    }
}
