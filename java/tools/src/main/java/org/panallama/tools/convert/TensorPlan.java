package org.panallama.tools.convert;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.panallama.gguf.GgmlType;
import org.panallama.gguf.GgufTensor;
import org.panallama.tools.safetensors.Safetensors;
import org.panallama.tools.safetensors.SafetensorsTensor;

/** Finds the checkpoint's tensors by the architecture's table, checks shapes, and says what is missing or unknown. */
final class TensorPlan {

    private static final int LISTED = 20;

    private final Architecture architecture;
    private final ModelConfig config;
    private final ConversionType type;
    private final Map<String, SafetensorsTensor> tensors = new LinkedHashMap<>();
    private final Map<String, Long> dimensions;
    private final List<Integer> answers;
    private final Set<String> used = new TreeSet<>();
    private final Set<String> missing = new TreeSet<>();
    private final List<PlannedTensor> planned = new ArrayList<>();
    private final List<String> warnings;

    private TensorPlan(
            Architecture architecture,
            ModelConfig config,
            ConversionType type,
            Safetensors checkpoint,
            List<Integer> answers,
            List<String> warnings) {
        this.architecture = architecture;
        this.config = config;
        this.type = type;
        this.answers = answers;
        this.warnings = warnings;
        this.dimensions = config.dimensions();
        checkpoint.tensors().forEach((name, tensor) -> tensors.put(architecture.canonical(name), tensor));
    }

    /** @param answers tokens of the answers, if the architecture is that of a {@link Qwen3Reranker} */
    static List<PlannedTensor> of(
            Architecture architecture,
            ModelConfig config,
            ConversionType type,
            Safetensors checkpoint,
            List<Integer> answers,
            List<String> warnings) {
        TensorPlan plan = new TensorPlan(architecture, config, type, checkpoint, answers, warnings);
        plan.plan();
        plan.refuse(checkpoint);
        return Collections.unmodifiableList(plan.planned);
    }

    /** In the order in which a model is computed: what comes before the layers, layer by layer, the rest. */
    private void plan() {
        requireAtMostTensors("layers", config.layers());
        List<TensorRule> rules = architecture.tensors();
        int firstLayered = 0;
        while (!rules.get(firstLayered).perLayer()) {
            plan(rules.get(firstLayered++), 0);
        }
        for (long layer = 0; layer < config.layers(); layer++) {
            for (TensorRule rule : rules) {
                if (rule.perLayer()) {
                    plan(rule, layer);
                }
            }
        }
        rules.subList(firstLayered, rules.size()).stream()
                .filter(rule -> !rule.perLayer())
                .forEach(rule -> plan(rule, 0));
    }

    /** Whatever a damaged configuration claims, each layer and each expert has a tensor of its own at least. */
    private void requireAtMostTensors(String what, long count) {
        if (count > tensors.size()) {
            throw new ConversionException(config.json().file() + " says that there are " + count + " " + what
                    + ", but the checkpoint has only " + tensors.size() + " tensors");
        }
    }

    private void plan(TensorRule rule, long layer) {
        for (String source : rule.sources()) {
            List<TensorPart> parts = parts(rule, source.replace("{l}", Long.toString(layer)));
            if (!parts.isEmpty()) {
                add(rule, rule.target().replace("{l}", Long.toString(layer)), parts);
                return;
            }
        }
        boolean tied = rule.trait() == TensorRule.Trait.OUTPUT
                && (config.tiedEmbeddings() || !config.className().endsWith("ForCausalLM"));
        if (!tied && (!rule.mayBeAbsent() || rule.trait() == TensorRule.Trait.OUTPUT)) {
            missing.add(rule.sources().get(0).replace("{l}", Long.toString(layer)));
        }
    }

    private List<TensorPart> parts(TensorRule rule, String source) {
        if (source.contains("{e}")) {
            return perExpert(rule, source);
        }
        int half = source.indexOf('#');
        String name = half < 0 ? source : source.substring(0, half);
        SafetensorsTensor tensor = tensors.get(name);
        if (tensor == null) {
            return List.of();
        }
        used.add(name);
        if (rule.trait() == TensorRule.Trait.OUTPUT && config.tiedEmbeddings()) {
            return List.of();
        }
        return half < 0 ? whole(rule, tensor) : halves(rule, tensor, source.charAt(half + 1) == '2');
    }

    private List<TensorPart> perExpert(TensorRule rule, String source) {
        if (!tensors.containsKey(source.replace("{e}", "0"))) {
            return List.of();
        }
        requireAtMostTensors("experts", size("experts"));
        List<TensorPart> parts = new ArrayList<>();
        for (long expert = 0; expert < size("experts"); expert++) {
            String name = source.replace("{e}", Long.toString(expert));
            SafetensorsTensor tensor = tensors.get(name);
            if (tensor == null) {
                missing.add(name);
                continue;
            }
            used.add(name);
            requireShape(tensor, rule.shape().subList(1, rule.shape().size()), 1);
            parts.add(rows(tensor, 0, tensor.shape().get(0), 0));
        }
        return parts;
    }

    private List<TensorPart> whole(TensorRule rule, SafetensorsTensor tensor) {
        if (rule.trait() == TensorRule.Trait.POSITIONS) {
            return positions(rule, tensor);
        }
        if (rule.trait() == TensorRule.Trait.ANSWERS) {
            return answers(tensor);
        }
        requireShape(tensor, rule.shape(), 1);
        List<Long> shape = tensor.shape();
        if (shape.size() == 1 && heads(rule) == 0) {
            return List.of(new TensorPart(tensor, 0, 1, Math.toIntExact(shape.get(0)), 0));
        }
        long rows = tensor.elements() / columns(tensor);
        return List.of(rows(tensor, 0, rows, heads(rule)));
    }

    private List<TensorPart> positions(TensorRule rule, SafetensorsTensor tensor) {
        requireShape(tensor, rule.shape(), 1);
        long unused = positionOffset(architecture, config);
        return List.of(rows(tensor, unused, tensor.shape().get(0) - unused, 0));
    }

    private List<TensorPart> answers(SafetensorsTensor tensor) {
        requireShape(tensor, List.of("vocab", "hidden"), 1);
        long rows = tensor.shape().get(0);
        return answers.stream()
                .map(token -> {
                    if (token < 0 || token >= rows) {
                        throw new ConversionException("the tokenizer's token " + token + " has no row in '"
                                + tensor.name() + "', which has " + rows);
                    }
                    return rows(tensor, token, 1, 0);
                })
                .toList();
    }

    static long positionOffset(Architecture architecture, ModelConfig config) {
        if (!architecture.roberta()) {
            return 0;
        }
        long padding = config.json().integer("pad_token_id").orElse(1);
        if (padding < 0 || padding >= config.context() - 1) {
            throw new ConversionException(config.json().file() + ": pad_token_id is " + padding
                    + ", must be from 0 and leave room for positions behind it, of which there are "
                    + config.context());
        }
        return 1 + padding;
    }

    /** One tensor holds gate and up of all experts: [experts, 2 * rows, columns]. */
    private List<TensorPart> halves(TensorRule rule, SafetensorsTensor tensor, boolean second) {
        requireShape(tensor, rule.shape(), 2);
        long rows = size(rule.shape().get(1));
        List<TensorPart> parts = new ArrayList<>();
        for (long expert = 0; expert < size("experts"); expert++) {
            parts.add(rows(tensor, (2 * expert + (second ? 1 : 0)) * rows, rows, 0));
        }
        return parts;
    }

    private int heads(TensorRule rule) {
        return switch (rule.trait()) {
            case ROTARY_Q -> Math.toIntExact(config.heads());
            case ROTARY_K -> Math.toIntExact(config.kvHeads());
            default -> 0;
        };
    }

    private static TensorPart rows(SafetensorsTensor tensor, long first, long rows, int heads) {
        return new TensorPart(tensor, first, rows, columns(tensor), heads);
    }

    private static int columns(SafetensorsTensor tensor) {
        List<Long> shape = tensor.shape();
        return shape.size() == 1 ? 1 : Math.toIntExact(shape.get(shape.size() - 1));
    }

    /** The last but one dimension is so many times what the rule says. */
    private void requireShape(SafetensorsTensor tensor, List<String> names, int factor) {
        List<Long> wanted = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            wanted.add(size(names.get(i)) * (i == names.size() - 2 ? factor : 1));
        }
        if (!tensor.shape().equals(wanted)) {
            throw new ConversionException("tensor '" + tensor.name() + "' in " + tensor.file() + " has the shape "
                    + tensor.shape() + ", by config.json it must be " + wanted + " (" + String.join(" × ", names)
                    + ")");
        }
    }

    private long size(String dimension) {
        Long size = dimensions.get(dimension);
        if (size == null) {
            throw new ConversionException(config.json().file() + " does not say how large '" + dimension + "' of "
                    + config.className() + " is");
        }
        return size;
    }

    private void add(TensorRule rule, String name, List<TensorPart> parts) {
        List<Long> shape = new ArrayList<>();
        for (String dimension : rule.shape()) {
            shape.add(0, size(dimension));
        }
        if (rule.trait() == TensorRule.Trait.POSITIONS) {
            shape.set(1, parts.get(0).rows());
        }
        planned.add(PlannedTensor.of(GgufTensor.of(name, format(name, shape), shape), parts));
    }

    /** llama.cpp computes with these in single precision, and its own converter writes them so. */
    private GgmlType format(String name, List<Long> shape) {
        boolean single = shape.size() == 1
                || name.endsWith("_norm.weight")
                || name.contains("ffn_gate_inp")
                || name.equals("position_embd.weight")
                || name.equals("token_types.weight");
        if (single) {
            return GgmlType.F32;
        }
        GgmlType format = type.format();
        if (shape.get(0) % format.blockSize() != 0) {
            warnings.add("'" + name + "' becomes F16: its rows of " + shape.get(0) + " are no whole blocks of "
                    + format.blockSize());
            return GgmlType.F16;
        }
        return format;
    }

    private void refuse(Safetensors checkpoint) {
        List<String> unknown = tensors.keySet().stream()
                .filter(name -> !used.contains(name) && !architecture.ignores(name))
                .toList();
        if (!missing.isEmpty() || !unknown.isEmpty()) {
            throw new ConversionException("the tensors in " + checkpoint.location() + " are not those of "
                    + config.className() + " with " + config.layers() + " layers"
                    + listed("\nmissing", List.copyOf(missing))
                    + listed("\nunknown", unknown));
        }
    }

    private static String listed(String title, List<String> names) {
        if (names.isEmpty()) {
            return "";
        }
        return title + " (" + names.size() + "): " + String.join(", ", names.subList(0, Math.min(LISTED, names.size())))
                + (names.size() > LISTED ? ", …" : "");
    }
}
