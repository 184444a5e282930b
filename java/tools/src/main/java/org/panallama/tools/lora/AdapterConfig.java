package org.panallama.tools.lora;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.panallama.tools.internal.JsonFile;

/**
 * PEFT's {@code adapter_config.json}.
 *
 * @see <a href="https://huggingface.co/docs/peft/package_reference/lora">PEFT's LoraConfig</a>
 */
final class AdapterConfig {

    private static final String FILE_NAME = "adapter_config.json";
    private static final int DEFAULT_RANK = 8;
    private static final int DEFAULT_ALPHA = 8;

    // Far beyond what anybody trains with, and still floats when multiplied or divided by any rank.
    private static final double LEAST_ALPHA = 1e-9;
    private static final double LARGEST_ALPHA = 1e9;

    /** What an alpha must be, for errors. */
    static final String ALPHAS = "0 or from " + LEAST_ALPHA + " to " + LARGEST_ALPHA + ", or the negative of these";

    private final JsonFile json;
    private final int rank;
    private final double alpha;
    private final Map<ModulePattern, Integer> ranks = new LinkedHashMap<>();
    private final Map<ModulePattern, Double> alphas = new LinkedHashMap<>();
    private final List<String> modulesToSave = new ArrayList<>();
    private final List<Integer> invocationTokens = new ArrayList<>();

    private AdapterConfig(JsonFile json) {
        this.json = json;
        refuseOtherKinds();
        rank = rank(json, "r", DEFAULT_RANK);
        alpha = alpha(json, "lora_alpha", DEFAULT_ALPHA);
        patterns("rank_pattern", (pattern, one, key) -> ranks.put(pattern, rank(one, key, rank)));
        patterns("alpha_pattern", (pattern, one, key) -> alphas.put(pattern, alpha(one, key, alpha)));
        for (JsonElement name : list("modules_to_save")) {
            if (!(name instanceof JsonPrimitive text) || !text.isString()) {
                throw wrong("modules_to_save", "a list of modules' names");
            }
            modulesToSave.add(text.getAsString());
        }
        for (JsonElement token : list("alora_invocation_tokens")) {
            int id = json.tokenId(token, "alora_invocation_tokens");
            if (id < 0) {
                throw wrong("alora_invocation_tokens", "a list of tokens' ids");
            }
            invocationTokens.add(id);
        }
    }

    static AdapterConfig read(Path folder) {
        Path file = folder.resolve(FILE_NAME);
        if (!Files.exists(file)) {
            throw new LoraException(folder + " has no " + FILE_NAME + "; an adapter is a folder as PEFT saves it");
        }
        return new AdapterConfig(JsonFile.read(file, LoraException::new));
    }

    private void refuseOtherKinds() {
        JsonElement type = json.value("peft_type");
        if (type != null && !json.string("peft_type").orElse("").equalsIgnoreCase("LORA")) {
            throw new LoraException(file() + ": peft_type is " + type + ", only \"LORA\" can be handled");
        }
        if (flag("use_dora")) {
            throw new LoraException(
                    file() + ": use_dora is true, and DoRA scales the base's weights by their magnitude, which no"
                            + " low-rank pair can: merge it with PEFT (merge_and_unload) and convert the merged"
                            + " checkpoint");
        }
        JsonElement bias = json.value("bias");
        if (bias != null && !json.string("bias").orElse("").equals("none") || flag("lora_bias")) {
            throw new LoraException(file() + ": the adapter trains biases (bias is " + bias + ", lora_bias "
                    + json.value("lora_bias") + "), only those with bias \"none\" can be handled: merge it with PEFT"
                    + " (merge_and_unload) and convert the merged checkpoint");
        }
        for (String key : List.of("target_parameters", "layer_replication", "trainable_token_indices")) {
            JsonElement value = json.value(key);
            if (value instanceof JsonArray array && !array.isEmpty()
                    || value instanceof JsonObject object && !object.isEmpty()) {
                throw new LoraException(
                        file() + ": " + key + " is " + value + ", which cannot be handled: merge it with PEFT"
                                + " (merge_and_unload) and convert the merged checkpoint");
            }
        }
    }

    Path file() {
        return json.file();
    }

    /**
     * The alpha that goes with {@link #rank()} where no pattern says otherwise, divided by which the scale comes out.
     */
    double effectiveAlpha() {
        return rankStabilized() ? alpha * Math.sqrt(rank) : alpha;
    }

    int rank() {
        return rank;
    }

    /** The rank that a module's matrices must have. */
    int rank(String module) {
        return first(ranks, module, rank);
    }

    /**
     * What the product of a module's matrices is multiplied by; rank-stabilized: Kalajdzievski 2023, arXiv 2312.03732.
     */
    float scale(String module) {
        double own = first(alphas, module, alpha);
        double r = rank(module);
        return (float) (own / (rankStabilized() ? Math.sqrt(r) : r));
    }

    private boolean rankStabilized() {
        return flag("use_rslora");
    }

    /** Whether matrices of the base lie transposed, which is so in layers of the kind Conv1D only. */
    boolean transposed() {
        return flag("fan_in_fan_out");
    }

    List<String> modulesToSave() {
        return modulesToSave;
    }

    /** The tokens that switch an activated LoRA on; none for others. */
    List<Integer> invocationTokens() {
        return invocationTokens;
    }

    /** The first one counts. */
    private static <T> T first(Map<ModulePattern, T> patterns, String module, T otherwise) {
        return patterns.entrySet().stream()
                .filter(entry -> entry.getKey().matches(module))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElse(otherwise);
    }

    private interface Entry {
        void add(ModulePattern pattern, JsonFile object, String key);
    }

    private void patterns(String name, Entry entry) {
        if (json.has(name) && json.object(name).isEmpty()) {
            throw wrong(name, "an object of numbers");
        }
        json.object(name)
                .ifPresent(object -> object.json()
                        .keySet()
                        .forEach(key -> entry.add(new ModulePattern(file() + ": " + name, key), object, key)));
    }

    private static int rank(JsonFile json, String key, int otherwise) {
        return (int) json.sizeIfPresent(key).orElse(otherwise);
    }

    private static double alpha(JsonFile json, String key, double otherwise) {
        double alpha = json.number(key).orElse(otherwise);
        if (!isAlpha(alpha)) {
            throw new LoraException(json.file() + ": " + key + " is " + alpha + ", must be " + ALPHAS);
        }
        return alpha;
    }

    /** Whether numbers that are scaled by it stay numbers. */
    static boolean isAlpha(double alpha) {
        double size = Math.abs(alpha);
        return size == 0 || size >= LEAST_ALPHA && size <= LARGEST_ALPHA;
    }

    private boolean flag(String key) {
        return json.bool(key).orElse(false);
    }

    private JsonArray list(String key) {
        JsonElement value = json.value(key);
        if (value == null) {
            return new JsonArray();
        }
        if (!(value instanceof JsonArray array)) {
            throw wrong(key, "a list");
        }
        return array;
    }

    private LoraException wrong(String key, String wanted) {
        return new LoraException(file() + ": " + key + " is " + json.value(key) + ", must be " + wanted);
    }
}
