package org.panallama.tools.convert;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.panallama.gguf.GgufValue;
import org.panallama.tools.internal.JsonFile;

/** The sizes of a model, as metadata under its architecture's name. */
final class Hyperparameters {

    /** llama.cpp's numbers of the ways to make one vector of a text's many. */
    private static final int MEAN = 1;

    private static final int CLS = 2;
    private static final int LAST = 3;
    private static final int RANK = 4;

    private final Architecture architecture;
    private final ModelConfig config;
    private final Map<String, GgufValue> metadata;
    private final List<String> warnings;

    Hyperparameters(
            Architecture architecture, ModelConfig config, Map<String, GgufValue> metadata, List<String> warnings) {
        this.architecture = architecture;
        this.config = config;
        this.metadata = metadata;
        this.warnings = warnings;
    }

    void add(Path folder) {
        count("block_count", config.layers());
        count("context_length", config.context() - TensorPlan.positionOffset(architecture, config));
        count("embedding_length", config.hidden());
        count("feed_forward_length", config.feedForward());
        count("attention.head_count", config.heads());
        if (architecture.encoder()) {
            number(
                    "attention.layer_norm_epsilon",
                    config.json().number("layer_norm_eps").orElseGet(this::encoderEpsilon));
            put("attention.causal", GgufValue.bool(false));
        } else {
            addDecoder();
        }
        if (architecture.classifies()) {
            count("pooling_type", RANK);
            put(
                    "classifier.output_labels",
                    GgufValue.strings(architecture.encoder() ? config.labels() : Qwen3Reranker.ANSWERS));
            if (config.json().sizeIfPresent("type_vocab_size").orElse(1) > 1) {
                warnings.add("the model tells the two texts of a pair apart (type_vocab_size), llama.cpp does not:"
                        + " scores may come out worse");
            }
        } else {
            addPooling(folder);
        }
    }

    private void addDecoder() {
        count("attention.head_count_kv", config.kvHeads());
        if (!config.json().bool("is_causal").orElse(true)) {
            put("attention.causal", GgufValue.bool(false));
        }
        new RotaryMetadata(config, architecture.ggufName()).addTo(metadata, warnings);
        number(
                "attention.layer_norm_rms_epsilon",
                config.json().number("rms_norm_eps", "norm_eps").orElseGet(this::epsilon));
        if (architecture.hasExperts()) {
            addExperts();
        }
        config.statedHeadSize().ifPresent(size -> {
            count("attention.key_length", size);
            count("attention.value_length", size);
        });
        if (architecture.ggufName().equals("llama")) {
            count("vocab_size", config.vocabulary());
            count("rope.dimension_count", config.headSize());
        }
        warnAboutWindow();
        if (config.json().has("clip_qkv")) {
            warnings.add("the model clips queries, keys and values (clip_qkv), which llama.cpp does not do for "
                    + architecture.ggufName());
        }
    }

    /** DistilBERT's class fixes what others state. */
    private double encoderEpsilon() {
        return architecture == Architecture.DISTILBERT ? 1e-12 : config.json().requireNumber("layer_norm_eps");
    }

    /** OLMoE's class fixes what others state. */
    private double epsilon() {
        return architecture == Architecture.OLMOE ? 1e-5 : config.json().requireNumber("rms_norm_eps");
    }

    private void addExperts() {
        count("expert_count", config.json().size("num_local_experts", "num_experts"));
        count("expert_used_count", config.json().size("num_experts_per_tok", "num_experts_per_token"));
        config.json()
                .sizeIfPresent("moe_intermediate_size")
                .ifPresent(size -> count("expert_feed_forward_length", size));
        config.json()
                .sizeIfPresent("shared_expert_intermediate_size")
                .ifPresent(size -> count("expert_shared_feed_forward_length", size));
        boolean renormalizes = architecture == Architecture.QWEN3_MOE || architecture == Architecture.MIXTRAL;
        config.json()
                .bool("norm_topk_prob")
                .filter(stated -> stated != renormalizes)
                .ifPresent(stated -> {
                    warnings.add("config.json says norm_topk_prob " + stated + ", llama.cpp computes "
                            + architecture.ggufName() + " as if it were " + renormalizes);
                });
    }

    private void warnAboutWindow() {
        boolean used = config.json().bool("use_sliding_window").orElse(true)
                && config.json().has("sliding_window");
        if (used && config.json().size("sliding_window") < config.context()) {
            warnings.add("the model attends to the last " + config.json().size("sliding_window")
                    + " tokens only (sliding_window), llama.cpp computes " + architecture.ggufName()
                    + " with all of them: longer texts may come out worse");
        }
    }

    /** Sentence Transformers say in a file of their own how a text's vectors become one. */
    private void addPooling(Path folder) {
        if (Files.isDirectory(folder.resolve("2_Dense"))) {
            warnings.add(
                    "the model projects its vectors once more (2_Dense), llama.cpp does not: they come out different");
        }
        Path file = folder.resolve("1_Pooling").resolve("config.json");
        if (!Files.exists(file)) {
            return;
        }
        JsonFile pooling = JsonFile.read(file, ConversionException::new);
        String mode = pooling.string("pooling_mode").orElse("");
        if (is(pooling, "pooling_mode_mean_tokens") || mode.equals("mean")) {
            count("pooling_type", MEAN);
        } else if (is(pooling, "pooling_mode_cls_token") || mode.equals("cls")) {
            count("pooling_type", CLS);
        } else if (is(pooling, "pooling_mode_lasttoken") || mode.equals("lasttoken")) {
            count("pooling_type", LAST);
        } else {
            throw new ConversionException(file + ": llama.cpp pools by mean, first or last token only");
        }
    }

    private static boolean is(JsonFile file, String key) {
        return file.bool(key).orElse(false);
    }

    private void count(String key, long value) {
        put(key, GgufValue.uint32(value));
    }

    private void number(String key, double value) {
        put(key, GgufValue.float32((float) value));
    }

    private void put(String key, GgufValue value) {
        metadata.put(architecture.ggufName() + "." + key, value);
    }
}
