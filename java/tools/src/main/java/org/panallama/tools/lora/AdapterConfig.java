package org.panallama.tools.lora;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * PEFT's {@code adapter_config.json}.
 *
 * @see <a href="https://huggingface.co/docs/peft/package_reference/lora">PEFT's LoraConfig</a>
 */
final class AdapterConfig {

    private static final String FILE_NAME = "adapter_config.json";
    private static final int DEFAULT_RANK = 8;
    private static final int DEFAULT_ALPHA = 8;

    private final Path file;
    private final JsonObject json;
    private final int rank;
    private final double alpha;
    private final Map<Pattern, Double> ranks;
    private final Map<Pattern, Double> alphas;
    private final List<String> modulesToSave = new ArrayList<>();
    private final List<Integer> invocationTokens = new ArrayList<>();

    private AdapterConfig(Path file, JsonObject json) {
        this.file = file;
        this.json = json;
        refuseOtherKinds();
        rank = (int) number("r", DEFAULT_RANK);
        if (rank < 1) {
            throw wrong("r", "from 1");
        }
        alpha = number("lora_alpha", DEFAULT_ALPHA);
        ranks = patterns("rank_pattern");
        alphas = patterns("alpha_pattern");
        if (value("modules_to_save") instanceof JsonArray array) {
            array.forEach(name -> modulesToSave.add(name.getAsString()));
        }
        if (value("alora_invocation_tokens") instanceof JsonArray array) {
            array.forEach(token -> invocationTokens.add(token.getAsInt()));
        }
    }

    static AdapterConfig read(Path folder) {
        Path file = folder.resolve(FILE_NAME);
        if (!Files.exists(file)) {
            throw new LoraException(folder + " has no " + FILE_NAME + "; an adapter is a folder as PEFT saves it");
        }
        try (BufferedReader text = Files.newBufferedReader(file)) {
            JsonElement root = JsonParser.parseReader(text);
            if (!root.isJsonObject()) {
                throw new LoraException(file + " is no JSON object");
            }
            return new AdapterConfig(file, root.getAsJsonObject());
        } catch (IOException | JsonParseException e) {
            throw new LoraException(file + " cannot be read as JSON: " + e.getMessage(), e);
        } catch (IllegalStateException | UnsupportedOperationException | NumberFormatException e) {
            throw new LoraException(file + " has a value of another kind than PEFT writes: " + e.getMessage(), e);
        } catch (StackOverflowError e) {
            throw new LoraException(file + " is nested too deeply", e);
        }
    }

    private void refuseOtherKinds() {
        JsonElement type = value("peft_type");
        if (type != null && !type.getAsString().equalsIgnoreCase("LORA")) {
            throw new LoraException(file + ": peft_type is " + type + ", only \"LORA\" can be handled");
        }
        if (flag("use_dora")) {
            throw new LoraException(
                    file + ": use_dora is true, and DoRA scales the base's weights by their magnitude, which no"
                            + " low-rank pair can: merge it with PEFT (merge_and_unload) and convert the merged"
                            + " checkpoint");
        }
        JsonElement bias = value("bias");
        if (bias != null && !bias.getAsString().equals("none") || flag("lora_bias")) {
            throw new LoraException(file + ": the adapter trains biases (bias is " + bias + ", lora_bias "
                    + value("lora_bias") + "), only those with bias \"none\" can be handled: merge it with PEFT"
                    + " (merge_and_unload) and convert the merged checkpoint");
        }
        for (String key : List.of("target_parameters", "layer_replication", "trainable_token_indices")) {
            JsonElement value = value(key);
            if (value instanceof JsonArray array && !array.isEmpty()
                    || value instanceof JsonObject object && !object.isEmpty()) {
                throw new LoraException(
                        file + ": " + key + " is " + value + ", which cannot be handled: merge it with PEFT"
                                + " (merge_and_unload) and convert the merged checkpoint");
            }
        }
    }

    Path file() {
        return file;
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
        return (int) first(ranks, module, rank);
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

    /** PEFT's rule: the key matches the whole name, or what follows a dot in it. The first one counts. */
    private static double first(Map<Pattern, Double> patterns, String module, double otherwise) {
        return patterns.entrySet().stream()
                .filter(entry -> entry.getKey().matcher(module).matches())
                .mapToDouble(Map.Entry::getValue)
                .findFirst()
                .orElse(otherwise);
    }

    private Map<Pattern, Double> patterns(String key) {
        Map<Pattern, Double> patterns = new LinkedHashMap<>();
        if (value(key) instanceof JsonObject object) {
            for (Map.Entry<String, JsonElement> entry : object.entrySet()) {
                if (!(entry.getValue() instanceof JsonPrimitive number) || !number.isNumber()) {
                    throw wrong(key, "an object of numbers");
                }
                try {
                    patterns.put(Pattern.compile("(.*\\.)?(" + entry.getKey() + ")"), number.getAsDouble());
                } catch (PatternSyntaxException e) {
                    throw new LoraException(
                            file + ": " + key + " has '" + entry.getKey() + "', which is no regular expression: "
                                    + e.getDescription(),
                            e);
                }
            }
        }
        return patterns;
    }

    private boolean flag(String key) {
        return value(key) instanceof JsonPrimitive primitive && primitive.isBoolean() && primitive.getAsBoolean();
    }

    private double number(String key, double otherwise) {
        JsonElement value = value(key);
        if (value == null) {
            return otherwise;
        }
        if (!(value instanceof JsonPrimitive primitive)
                || !primitive.isNumber()
                || !Double.isFinite(primitive.getAsDouble())) {
            throw wrong(key, "a number");
        }
        return primitive.getAsDouble();
    }

    private @Nullable JsonElement value(String key) {
        JsonElement value = json.get(key);
        return value == null || value.isJsonNull() ? null : value;
    }

    private LoraException wrong(String key, String wanted) {
        return new LoraException(file + ": " + key + " is " + json.get(key) + ", must be " + wanted);
    }
}
