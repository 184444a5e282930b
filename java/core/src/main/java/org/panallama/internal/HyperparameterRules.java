package org.panallama.internal;

import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.panallama.ModelLoadException;

/**
 * Refuses hyperparameters with which llama.cpp would fail an assertion or divide by zero while it loads the model,
 * creates a context or decodes. Where a wrong value merely disagrees with the tensors' shapes, llama.cpp says so.
 */
final class HyperparameterRules {
    // These compute with the stated function as it is; the others take 0, which llama.cpp writes itself, for "not
    // stated".
    private static final Set<String> GATING_ENDS_AT_NONE = Set.of(
            "bailingmoe2",
            "bailingmoe3",
            "deepseek32",
            "deepseek4",
            "dflash",
            "dots1",
            "dots3note",
            "exaone-moe",
            "kimi-k3",
            "kimi-linear",
            "lfm2moe",
            "minimax-m2",
            "minimax-m3",
            "smallthinker");

    private static final int MAX_LAYERS = 512;
    private static final int MAX_EXPERTS = 1024;
    private static final Set<String> ROPE_SCALINGS = Set.of("none", "linear", "yarn", "longrope");

    /** Keys that llama.cpp divides by or asserts to be at least this much, wherever they occur. */
    // In files that llama.cpp wrote, these have a 0 for everything that they do not have; but not for what is
    // essential.
    private static final Set<String> PLAIN_TRANSFORMERS =
            Set.of("llama", "mistral3", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "olmoe", "bert", "nomic-bert");

    private static final Set<String> ESSENTIAL = Set.of(
            "block_count",
            "context_length",
            "embedding_length",
            "feed_forward_length",
            "attention.head_count",
            "attention.key_length",
            "attention.value_length",
            "rope.dimension_count",
            "rope.scaling.original_context_length");

    private static final Set<String> OPEN_RANGES = Set.of(".pooling_type", ".kda.gate_lower_bound");

    private static final Map<String, Integer> MINIMUMS = Map.ofEntries(
            Map.entry("attention.group_norm_groups", 1),
            Map.entry("attention.temperature_length", 1),
            Map.entry("attention.indexer.block_size", 1),
            Map.entry("attention.indexer.top_k", 1),
            Map.entry("attention.indexer.key_length", 1),
            Map.entry("attention.indexer.head_count", 1),
            Map.entry("attention.output_group_count", 1),
            Map.entry("conv_group_size", 1),
            Map.entry("rope.scaling.original_context_length", 1),
            Map.entry("shortconv.l_cache", 2),
            Map.entry("ssm.conv_kernel", 1),
            Map.entry("ssm.inner_size", 1),
            Map.entry("ssm.state_size", 1),
            Map.entry("ssm.time_step_rank", 1),
            Map.entry("token_shift_count", 1),
            Map.entry("wkv.head_size", 1));

    private final GgufFile file;
    private final String architecture;

    private HyperparameterRules(GgufFile file) {
        this.file = file;
        this.architecture = file.architecture().orElseThrow();
    }

    /** Checks the metadata of a model. Files with a vocabulary alone may lack what describes the rest. */
    static void check(GgufFile file) {
        new HyperparameterRules(file).check();
    }

    private void check() {
        long layers = required("block_count", 1, MAX_LAYERS);
        required("context_length", 1, Integer.MAX_VALUE);
        required("embedding_length", 1, Integer.MAX_VALUE);
        between("nextn_predict_layers", 0, layers - 1);
        between("posnet.block_count", 0, layers);
        between("convnext.block_count", 0, layers);
        checkPooling();
        between("expert_gating_func", GATING_ENDS_AT_NONE.contains(architecture) ? 1 : 0, 4);
        between("embedding_length_out", 0, 1 << 20);
        between("n_deepstack_layers", 0, layers);
        MINIMUMS.forEach((key, least) -> between(key, least, Integer.MAX_VALUE));
        checkScalars();
        checkExperts(layers);
        checkHeads();
        checkRope();
        checkSlidingWindow(layers);
        checkStateSpace();
    }

    /** Checks what holds for every number under the architecture's name. */
    private void checkScalars() {
        file.metadata().forEach((key, value) -> {
            if (value.isArray()
                    || !key.startsWith(architecture + ".")
                    || OPEN_RANGES.stream().anyMatch(key::endsWith)) {
                return;
            }
            GgufType type = value.type();
            if (type == GgufType.FLOAT32 || type == GgufType.FLOAT64) {
                double number = value.number(0);
                // The norms that an architecture does not compute have an epsilon of 0 in files that llama.cpp wrote.
                boolean unused = number == 0
                        && PLAIN_TRANSFORMERS.contains(architecture)
                        && key.endsWith("epsilon")
                        && !key.endsWith(".layer_norm_rms_epsilon");
                boolean positive = key.endsWith("epsilon") || key.contains(".rope.freq_base");
                if (!Double.isFinite(number) || number <= 0 && positive && !unused) {
                    throw wrong(key, number, positive ? "a number above 0" : "a finite number");
                }
            } else if (type == GgufType.UINT32 && value.integer(0) > Integer.MAX_VALUE) {
                throw wrong(key, value.integer(0), "at most " + Integer.MAX_VALUE);
            }
        });
    }

    private void checkExperts(long layers) {
        long experts = between("expert_count", 0, MAX_EXPERTS).orElse(0);
        long used = 0;
        GgufValue usedCounts = counts("expert_used_count", experts);
        for (int i = 0; usedCounts != null && i < usedCounts.length(); i++) {
            long count = usedCounts.integer(i);
            if (count == 0
                    && i < layers
                    && file.tensor("blk." + i + ".ffn_gate_inp.weight").isPresent()) {
                throw wrong(key("expert_used_count"), 0, "at least 1 in layer " + i + ", which has experts");
            }
            used = Math.max(used, count);
        }
        if (experts > 0 && used == 0) {
            throw wrong(key("expert_used_count"), used, "at least 1, as there are " + experts + " experts");
        }
        if (experts == 0 && Architectures.MIXTURES.contains(architecture)) {
            throw wrong(key("expert_count"), 0, "at least 1 in this architecture");
        }
        long groups = between("expert_group_count", 0, Math.max(0, experts - 1)).orElse(0);
        if (groups > 1) {
            if (experts % groups != 0 || experts / groups < 2) {
                throw wrong(key("expert_group_count"), groups, "a divisor of the " + experts + " experts");
            }
            OptionalLong groupsUsed = between("expert_group_used_count", 1, groups - 1);
            if (groupsUsed.isEmpty()) {
                throw wrong(key("expert_group_used_count"), "missing", "at least 1, as there are groups");
            }
        }
        if (architecture.equals("ernie4_5-moe")) {
            between("interleave_moe_layer_step", 1, Integer.MAX_VALUE);
        }
    }

    private void checkHeads() {
        GgufValue heads = counts("attention.head_count", Integer.MAX_VALUE);
        GgufValue groups = counts("attention.head_count_kv", Integer.MAX_VALUE);
        if (heads == null) {
            return;
        }
        boolean uniform = Architectures.WHOLE_HEAD_ROPE.contains(architecture)
                && !Architectures.VARIED_LAYERS.contains(architecture);
        int length = Math.max(heads.length(), groups == null ? 1 : groups.length());
        for (int i = 0; i < length; i++) {
            long queries = at(heads, i);
            long keys = groups == null ? queries : at(groups, i);
            if (keys > 0 && queries % keys != 0) {
                throw wrong(key("attention.head_count_kv"), keys, "a divisor of the " + queries + " attention heads");
            }
            if (uniform && (queries == 0 || keys == 0)) {
                throw wrong(key("attention.head_count" + (queries == 0 ? "" : "_kv")), 0, "at least 1");
            }
            if (uniform && (queries != at(heads, 0) || groups != null && keys != at(groups, 0))) {
                throw wrong(key("attention.head_count"), queries, "the same in every layer of this architecture");
            }
        }
    }

    private void checkRope() {
        GgufValue scaling = file.metadata().get(key("rope.scaling.type"));
        if (scaling != null && scaling.is(GgufType.STRING) && !ROPE_SCALINGS.contains(scaling.string(0))) {
            throw wrong(key("rope.scaling.type"), scaling.string(0), "one of none, linear, yarn, longrope");
        }
        GgufValue factor = file.metadata().get(key("rope.scaling.factor"));
        if (factor != null && factor.is(GgufType.FLOAT32) && factor.number(0) < 0) {
            throw wrong(key("rope.scaling.factor"), factor.number(0), "at least 0");
        }
        checkRopeSections();
        GgufValue headCount = file.metadata().get(key("attention.head_count"));
        long heads = headCount == null || headCount.length() == 0 ? 0 : headCount.integer(0);
        if (heads == 0) {
            return;
        }
        long head = file.integer(key("embedding_length")).orElse(0) / heads;
        long keyLength = between("attention.key_length", 1, 1 << 20).orElse(head);
        long valueLength = between("attention.value_length", 1, 1 << 20).orElse(head);
        boolean whole = Architectures.WHOLE_HEAD_ROPE.contains(architecture);
        long rotated = between("rope.dimension_count", 0, whole ? keyLength : Integer.MAX_VALUE)
                .orElse(keyLength);
        if ((whole || Architectures.EQUAL_KEY_VALUE.contains(architecture)) && keyLength != valueLength) {
            throw wrong(key("attention.value_length"), valueLength, keyLength + ", the length of the keys");
        }
        if (whole && rotated != keyLength) {
            throw wrong(key("rope.dimension_count"), rotated, keyLength + ", the length of a head");
        }
        OptionalLong latent = between("attention.key_length_mla", 1, 1 << 20);
        long widest = latent.orElse(keyLength);
        boolean rotates = whole || file.metadata().containsKey(key("rope.dimension_count"));
        if (rotated > widest || rotates && rotated % 2 != 0 || latent.isPresent() && rotated == widest) {
            throw wrong(key("rope.dimension_count"), rotated, "an even number up to the head's length of " + widest);
        }
    }

    private void checkRopeSections() {
        GgufValue sections = file.metadata().get(key("rope.dimension_sections"));
        if (sections == null || !sections.isArray() || !sections.type().isInteger()) {
            return;
        }
        long sum = 0;
        for (int i = 0; i < sections.length(); i++) {
            long section = sections.integer(i);
            if (section < 0 || section > 1 << 16) {
                throw wrong(key("rope.dimension_sections"), section, "from 0 to 65536");
            }
            sum += i < 3 ? section : 0;
        }
        if (sum == 0 && !PLAIN_TRANSFORMERS.contains(architecture)) {
            throw wrong(key("rope.dimension_sections"), "all 0", "positive in one of the first three sections");
        }
    }

    private void checkSlidingWindow(long layers) {
        OptionalLong window = between("attention.sliding_window", 0, Integer.MAX_VALUE);
        if (architecture.equals("llama4") && (window.orElse(1) == 0 || layers < 4)) {
            // The graph then asserts that a temperature is set for layers without rotation, or that there are some.
            throw window.orElse(1) == 0
                    ? wrong(key("attention.sliding_window"), 0, "at least 1 in this architecture")
                    : wrong(key("block_count"), layers, "at least 4 in this architecture");
        }
        GgufValue pattern = file.metadata().get(key("attention.sliding_window_pattern"));
        if (pattern == null || window.orElse(0) == 0 || pattern.type() == GgufType.STRING) {
            return;
        }
        boolean sliding = !pattern.isArray() && pattern.number(0) != 1;
        for (int i = 0; pattern.isArray() && i < Math.min(layers, pattern.length()); i++) {
            sliding |= pattern.number(i) != 0;
        }
        if (!sliding) {
            throw wrong(key("attention.sliding_window_pattern"), "without sliding layers", "one that has some");
        }
    }

    private void checkStateSpace() {
        if (!Architectures.GROUPED_STATE_SPACE.contains(architecture)) {
            return;
        }
        long inner = required("ssm.inner_size", 1, Integer.MAX_VALUE);
        for (String key : Set.of("ssm.group_count", "ssm.time_step_rank")) {
            long divisor = required(key, 1, inner);
            if (inner % divisor != 0) {
                throw wrong(key(key), divisor, "a divisor of the inner size, " + inner);
            }
        }
    }

    /** Returns integers given once or per layer, or null if absent, having checked each. */
    private @Nullable GgufValue counts(String name, long max) {
        GgufValue value = file.metadata().get(key(name));
        if (value == null) {
            return null;
        }
        boolean integers =
                value.is(GgufType.UINT32) || value.isArrayOf(GgufType.UINT32) || value.isArrayOf(GgufType.INT32);
        if (!integers || value.length() == 0) {
            throw wrong(key(name), value, "a UINT32, or an array of one integer for each layer");
        }
        for (int i = 0; i < value.length(); i++) {
            if (value.integer(i) < 0 || value.integer(i) > max) {
                throw wrong(key(name), value.integer(i), "from 0 to " + max);
            }
        }
        return value;
    }

    private static long at(GgufValue counts, int layer) {
        return counts.integer(Math.min(layer, counts.length() - 1));
    }

    private long required(String name, long min, long max) {
        OptionalLong value = between(name, min, max);
        if (value.isEmpty() && !file.tensors().isEmpty()) {
            throw new ModelLoadException(file.path(), "metadata key '" + key(name) + "' is missing");
        }
        return value.orElse(max);
    }

    /** llama.cpp itself writes an unstated pooling as -1 in an unsigned number. */
    private void checkPooling() {
        if (file.integer(key("pooling_type")).orElse(0) != 0xFFFFFFFFL) {
            between("pooling_type", 0, 4);
        }
    }

    /** Returns an integer, if present, having checked it. */
    private OptionalLong between(String name, long min, long max) {
        GgufValue value = file.metadata().get(key(name));
        if (value == null) {
            return OptionalLong.empty();
        }
        if (value.isArray() || !value.type().isInteger()) {
            throw wrong(key(name), value, "an integer");
        }
        long integer = value.integer(0);
        if (integer == 0 && PLAIN_TRANSFORMERS.contains(architecture) && !ESSENTIAL.contains(name)) {
            return OptionalLong.empty();
        }
        if (integer < min || integer > max) {
            throw wrong(key(name), integer, min == max ? min : "from " + min + " to " + max);
        }
        return OptionalLong.of(integer);
    }

    private String key(String name) {
        return architecture + "." + name;
    }

    private ModelLoadException wrong(String key, Object is, Object expected) {
        return new ModelLoadException(file.path(), "metadata key '" + key + "' is " + is + "; it must be " + expected);
    }
}
