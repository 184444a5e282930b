package org.panallama.tools.quantize;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.panallama.LlamaException;
import org.panallama.TensorType;
import org.panallama.internal.GgufFile;
import org.panallama.internal.GgufTensor;
import org.panallama.internal.ModelSummary;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Refuses what llama.cpp would end the process on, and what it would find out only after hours. The rules are those of v0.4.0's
 * quantizer.
 */
final class QuantizationChecks {

    private static final Logger LOG = LoggerFactory.getLogger(Quantizer.class);
    private static final Pattern LAYER = Pattern.compile("blk\\.(\\d+)\\.");
    private static final Set<String> EMBEDDINGS = Set.of("token_embd.weight", "per_layer_token_embd.weight");
    private static final String OUTPUT = "output.weight";

    private final Path input;
    private final QuantizeOptions options;

    QuantizationChecks(Path input, QuantizeOptions options) {
        this.input = input;
        this.options = options;
    }

    private LlamaException refused(String why) {
        return new LlamaException("Cannot quantize " + input + " to " + options.fileType + ": " + why);
    }

    /** What has to be right for a dry run. */
    void checkModel(ModelSummary model) {
        if (model.vocabOnly()) {
            throw refused("it holds a vocabulary and no tensors");
        }
        checkRows(model, options.outputType, Set.of(OUTPUT), "output");
        checkRows(model, options.embeddingType, EMBEDDINGS, "token embeddings");
        checkLayers(model);
        if (options.keepSplit) {
            checkParts(model);
        }
    }

    /** These two formats are taken as they are; for others, llama.cpp falls back to one that fits the rows. */
    private void checkRows(ModelSummary model, @Nullable TensorType type, Set<String> names, String what) {
        for (GgufTensor tensor : model.tensors()) {
            if (type != null && names.contains(tensor.name()) && tensor.dimension(0) % type.blockSize() != 0) {
                throw refused("the " + what + " cannot be " + type + ", which has blocks of " + type.blockSize()
                        + " numbers: the rows of " + tensor.name() + " have " + tensor.dimension(0));
            }
        }
    }

    private void checkLayers(ModelSummary model) {
        int layers = layers(model);
        IntStream.of(options.pruneLayers).forEach(layer -> {
            if (layer >= layers) {
                throw refused("layer " + layer + " cannot be left out: there are 0 to " + (layers - 1));
            }
        });
        if (options.pruneLayers.length > 0 && options.pruneLayers.length >= layers) {
            throw refused("all of its layers would be left out");
        }
    }

    private static int layers(ModelSummary model) {
        return (int) model.file().integer(model.architecture() + ".block_count").orElse(0);
    }

    private void checkParts(ModelSummary model) {
        for (int i = 1; i < model.parts().size(); i++) {
            GgufFile part = model.parts().get(i);
            if (part.tensors().stream().allMatch(tensor -> isPruned(tensor.name()))) {
                throw refused("no tensor would be left in the part "
                        + part.path().getFileName() + "; write a single file instead");
            }
        }
    }

    private boolean isPruned(String name) {
        Matcher layer = LAYER.matcher(name);
        return layer.find()
                && IntStream.of(options.pruneLayers).anyMatch(pruned -> pruned == Integer.parseInt(layer.group(1)));
    }

    /** What has to be right for the plan that a dry run gave to be carried out. */
    void checkPlan(ModelSummary model, QuantizationPlan plan, Map<String, float[]> importance) {
        warnOfPatterns(plan);
        List<Integer> kept = new ArrayList<>();
        for (int layer = 0; layer < layers(model); layer++) {
            if (!isPruned("blk." + layer + ".")) {
                kept.add(layer);
            }
        }
        for (TensorPlan tensor : plan.tensors()) {
            if (tensor.converts()) {
                checkSource(tensor);
                float[] values = importance.get(originalName(tensor.name(), kept));
                checkImportance(tensor, values, !importance.isEmpty());
            }
        }
        warnOfForeignImportance(plan, importance, kept);
    }

    private void checkSource(TensorPlan tensor) {
        if (tensor.from().isQuantized() && !options.allowRequantize) {
            throw refused("its tensor " + tensor.name() + " is quantized already, to " + tensor.from()
                    + ". Take the model in F16, BF16 or F32; or allow quantizing again, which adds up both errors");
        }
    }

    private void checkImportance(TensorPlan tensor, float @Nullable [] values, boolean given) {
        boolean usable = values != null && values.length == tensor.importanceSize();
        if (values != null && !usable && !EMBEDDINGS.contains(tensor.name())) {
            throw refused("the importance matrix has " + values.length + " numbers for " + tensor.name()
                    + ", which needs " + tensor.importanceSize() + ": it was made for another model");
        }
        if (usable || !needsImportance(tensor)) {
            return;
        }
        String why = "its tensor " + tensor.name() + " would become " + tensor.to()
                + ", which is garbage unless it is known what matters in it; ";
        if (!given) {
            throw refused(why + "make an importance matrix of the model and pass it along");
        }
        boolean looked = EMBEDDINGS.contains(tensor.name()) || tensor.name().equals(OUTPUT);
        throw refused(why
                + (looked
                        ? "the importance matrix has nothing for it, so choose another type for this tensor"
                        : "the importance matrix has nothing for it: it was made for another model, or its text never came"
                                + " there. Choose another type for this tensor, or a longer text"));
    }

    private boolean needsImportance(TensorPlan tensor) {
        boolean exempt = EMBEDDINGS.contains(tensor.name()) || tensor.name().equals(OUTPUT);
        return switch (tensor.to()) {
            case IQ2_XXS, IQ2_XS, IQ1_S -> true; // llama.cpp ends the process even for those that it exempts
            case IQ3_XXS, IQ2_S, IQ1_M -> !exempt;
            case Q2_K -> !exempt && options.fileType == FileType.Q2_K_S;
            default -> false;
        };
    }

    /** Layers move up where others are left out, but the importance matrix has the names of before. */
    private static String originalName(String name, List<Integer> kept) {
        Matcher layer = LAYER.matcher(name);
        if (!layer.find() || Integer.parseInt(layer.group(1)) >= kept.size()) {
            return name;
        }
        return name.substring(0, layer.start(1))
                + kept.get(Integer.parseInt(layer.group(1)))
                + name.substring(layer.end(1));
    }

    private void warnOfForeignImportance(QuantizationPlan plan, Map<String, float[]> importance, List<Integer> kept) {
        Set<String> known = new HashSet<>();
        plan.tensors().forEach(tensor -> known.add(originalName(tensor.name(), kept)));
        long foreign = importance.keySet().stream()
                .filter(name -> !known.contains(name) && !isPruned(name))
                .count();
        if (foreign > 0) {
            LOG.warn("{} of {} tensors in the importance matrix are not in {}", foreign, importance.size(), input);
        }
        Map<String, Integer> missing = new HashMap<>();
        if (!importance.isEmpty()) {
            plan.tensors().stream()
                    .filter(tensor -> tensor.converts() && tensor.to().isQuantized())
                    .filter(tensor -> LAYER.matcher(tensor.name()).find())
                    .filter(tensor -> !importance.containsKey(originalName(tensor.name(), kept)))
                    .forEach(tensor -> missing.merge(tensor.to().name(), 1, Integer::sum));
        }
        if (!missing.isEmpty()) {
            LOG.warn(
                    "the importance matrix has nothing for some tensors of {}, which are quantized without: {}",
                    input,
                    missing);
        }
    }

    /** llama.cpp does not tell which pattern it could not read. */
    LlamaException withPattern(LlamaException failure) {
        for (QuantizeOptions.TensorOverride override : options.overrides) {
            try {
                Pattern.compile(override.pattern());
            } catch (PatternSyntaxException e) {
                return new LlamaException(
                        "Cannot quantize " + input + ": the pattern '" + override.pattern() + "' for " + override.type()
                                + " is malformed: " + e.getDescription(),
                        failure);
            }
        }
        return failure;
    }

    private void warnOfPatterns(QuantizationPlan plan) {
        for (QuantizeOptions.TensorOverride override : options.overrides) {
            Pattern pattern;
            try {
                pattern = Pattern.compile(override.pattern());
            } catch (PatternSyntaxException e) {
                continue; // a few expressions of ECMAScript are not Java's
            }
            if (plan.tensors().stream()
                    .noneMatch(tensor -> pattern.matcher(tensor.name()).find())) {
                LOG.warn("no tensor of {} matches the pattern '{}'", input, override.pattern());
            }
        }
    }
}
