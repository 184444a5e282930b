package org.panallama.tools.convert;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.panallama.gguf.GgufValue;
import org.panallama.tools.internal.JsonFile;

/**
 * The rotary position embedding and how it is stretched: linearly, by YaRN (Peng et al. 2023, arXiv 2309.00071), as Llama
 * 3.1 does, or by LongRoPE (Ding et al. 2024, arXiv 2402.13753).
 */
final class RotaryMetadata {

    private static final List<String> TYPES =
            List.of("default", "linear", "dynamic", "yarn", "llama3", "longrope", "su");

    private final ModelConfig config;
    private final JsonFile rope;
    private final String type;
    private final String prefix;

    RotaryMetadata(ModelConfig config, String architecture) {
        this.config = config;
        this.rope = config.rope();
        this.type = rope.string("rope_type", "type").orElse("default").toLowerCase(Locale.ROOT);
        this.prefix = architecture + ".rope.";
        if (!TYPES.contains(type)) {
            throw new ConversionException(config.json().file() + ": the rotary embedding is of type '" + type
                    + "', known are default, linear, dynamic, yarn, llama3 and longrope");
        }
        if ((type.equals("llama3") || longRope()) && !architecture.equals("llama")) {
            throw new ConversionException(config.json().file() + ": the rotary embedding is of type '" + type
                    + "', which llama.cpp computes for Llama, Mistral and Mixtral, not for " + architecture);
        }
        double part = rope.number("partial_rotary_factor")
                .orElseGet(() -> config.json().number("partial_rotary_factor").orElse(1));
        if (part != 1) {
            throw new ConversionException(config.json().file() + ": partial_rotary_factor is " + part
                    + ", but llama.cpp turns whole heads of " + architecture);
        }
    }

    private boolean longRope() {
        return type.equals("longrope") || type.equals("su"); // its first name
    }

    void addTo(Map<String, GgufValue> metadata, List<String> warnings) {
        switch (type) {
            case "linear" -> {
                metadata.put(prefix + "scaling.type", GgufValue.string("linear"));
                metadata.put(prefix + "scaling.factor", float32(factor()));
            }
            case "yarn" -> addYarn(metadata, warnings);
            case "longrope", "su" -> addLongRope(metadata);
            case "dynamic" ->
                warnings.add(
                        "the model stretches its rotary embedding with the text's length (dynamic); llama.cpp does not:"
                                + " texts longer than " + config.context() + " tokens come out worse");
            default -> {} // nothing to state: Llama 3's divisors are a tensor
        }
        metadata.put(prefix + "freq_base", float32(config.ropeBase()));
    }

    private void addYarn(Map<String, GgufValue> metadata, List<String> warnings) {
        double factor = factor();
        metadata.put(prefix + "scaling.type", GgufValue.string("yarn"));
        metadata.put(prefix + "scaling.factor", float32(factor));
        metadata.put(prefix + "scaling.original_context_length", GgufValue.uint32(originalContext()));
        addParameter("yarn_ext_factor", 1, metadata, warnings, "extrapolation_factor");
        addParameter(
                "yarn_attn_factor", 1 + 0.1 * Math.log(factor), metadata, warnings, "attention_factor", "attn_factor");
        addParameter("yarn_beta_fast", 32, metadata, warnings, "beta_fast");
        addParameter("yarn_beta_slow", 1, metadata, warnings, "beta_slow");
    }

    /** What YaRN leaves to the model. llama.cpp's converter writes it, but for these models llama.cpp has values of its own. */
    private void addParameter(
            String key, double computed, Map<String, GgufValue> metadata, List<String> warnings, String... spellings) {
        rope.number(spellings).ifPresent(stated -> {
            metadata.put(prefix + "scaling." + key, float32(stated));
            if (Math.abs(stated - computed) > 1e-3 * computed) {
                warnings.add(String.format(
                        Locale.ROOT,
                        "the model's YaRN has the %s %.4g, llama.cpp computes with %.4g: texts may come out worse",
                        spellings[0],
                        stated,
                        computed));
            }
        });
    }

    private double factor() {
        double factor = rope.requireNumber("factor");
        if (!(factor > 0)) {
            throw new ConversionException(
                    config.json().file() + ": the rotary embedding's factor is " + factor + ", must be positive");
        }
        return factor;
    }

    private void addLongRope(Map<String, GgufValue> metadata) {
        double stretch = (double) config.context() / originalContext();
        double attention = stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(originalContext()));
        metadata.put(prefix + "scaling.type", GgufValue.string("longrope"));
        metadata.put(prefix + "scaling.original_context_length", GgufValue.uint32(originalContext()));
        metadata.put(
                prefix + "scaling.attn_factor",
                float32(rope.number("attention_factor").orElse(attention)));
    }

    private long originalContext() {
        return rope.sizeIfPresent("original_max_position_embeddings")
                .orElseGet(() -> config.json()
                        .sizeIfPresent("original_max_position_embeddings")
                        .orElseGet(config::context));
    }

    /** Divisors of the rotation's frequencies that no formula of llama.cpp's gives. */
    List<PlannedTensor> tensors() {
        return switch (type) {
            case "llama3" -> List.of(PlannedTensor.computed("rope_freqs.weight", llama3()));
            case "longrope", "su" ->
                List.of(
                        PlannedTensor.computed("rope_factors_long.weight", factors("long_factor")),
                        PlannedTensor.computed("rope_factors_short.weight", factors("short_factor")));
            default -> List.of();
        };
    }

    /** Waves longer than the trained context are stretched, short ones not, and those between in between. */
    private List<Float> llama3() {
        double factor = rope.number("factor").orElse(8);
        double low = rope.number("low_freq_factor").orElse(1);
        double high = rope.number("high_freq_factor").orElse(4);
        double context = rope.number("original_max_position_embeddings").orElse(8192);
        long size = config.headSize();
        List<Float> divisors = new ArrayList<>();
        for (long i = 0; i < size; i += 2) {
            double wave = 2 * Math.PI * Math.pow(config.ropeBase(), (double) i / size);
            double turns = context / wave;
            double share = Math.min(1, Math.max(0, (turns - low) / (high - low)));
            divisors.add((float) (1 / ((1 - share) / factor + share)));
        }
        return divisors;
    }

    private List<Float> factors(String key) {
        if (!(rope.value(key) instanceof JsonArray values) || values.size() != config.headSize() / 2) {
            throw new ConversionException(
                    config.json().file() + ": longrope needs " + key + " with " + config.headSize() / 2 + " numbers");
        }
        List<Float> factors = new ArrayList<>();
        for (JsonElement value : values) {
            factors.add((float) rope.number(value, key));
        }
        return factors;
    }

    private static GgufValue float32(double value) {
        return GgufValue.float32((float) value);
    }
}
