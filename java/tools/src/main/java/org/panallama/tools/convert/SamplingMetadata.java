package org.panallama.tools.convert;

import java.util.Map;
import org.panallama.gguf.GgufValue;
import org.panallama.tools.internal.JsonFile;

/** What {@code generation_config.json} recommends for sampling. */
final class SamplingMetadata {

    private SamplingMetadata() {}

    static void add(JsonFile generation, Map<String, GgufValue> metadata) {
        integer(generation, metadata, "top_k", "top_k");
        number(generation, metadata, "top_p", "top_p");
        number(generation, metadata, "min_p", "min_p");
        number(generation, metadata, "xtc_probability", "xtc_probability");
        number(generation, metadata, "xtc_threshold", "xtc_threshold");
        number(generation, metadata, "temp", "temperature");
        integer(generation, metadata, "penalty_last_n", "penalty_last_n");
        number(generation, metadata, "penalty_repeat", "penalty_repeat", "repetition_penalty");
        integer(generation, metadata, "mirostat", "mirostat");
        number(generation, metadata, "mirostat_tau", "mirostat_tau");
        number(generation, metadata, "mirostat_eta", "mirostat_eta");
    }

    private static void integer(JsonFile from, Map<String, GgufValue> to, String key, String... spellings) {
        from.integer(spellings).ifPresent(value -> to.put("general.sampling." + key, GgufValue.int32((int) value)));
    }

    private static void number(JsonFile from, Map<String, GgufValue> to, String key, String... spellings) {
        from.number(spellings).ifPresent(value -> to.put("general.sampling." + key, GgufValue.float32((float) value)));
    }
}
