package org.panallama.tools.convert;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.panallama.tools.internal.JsonFile;

/**
 * How a text is cut before pairs are merged. llama.cpp knows the ways by name; a {@code tokenizer.json} states them as steps
 * and regular expressions. The name follows from those alone, so that a vocabulary of one's own converts as well.
 */
final class PreTokenizers {

    private static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
    private static final String SPACES = "|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    private static final String SIGNS = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*" + SPACES;
    private static final String SIGNS_AND_SLASH = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*" + SPACES;
    private static final String WORD = "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+";
    private static final String HEAD = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
    private static final String TAIL = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";
    private static final String CAPITALISED = "[^\\r\\n\\p{L}\\p{N}]?" + HEAD + "*" + TAIL + "+";
    private static final String CAPITALS = "[^\\r\\n\\p{L}\\p{N}]?" + HEAD + "+" + TAIL + "*";

    private static final String GPT2 =
            "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
    private static final String LLAMA3 = CONTRACTIONS + WORD + "|\\p{N}{1,3}" + SIGNS;
    private static final String QWEN2 = CONTRACTIONS + WORD + "|\\p{N}" + SIGNS;

    private static final String DIGITS = "digits";
    private static final String BYTES = "bytes";

    /** Steps to llama.cpp's name. Splits are given by their expression; {@code bytes} alone cuts nothing. */
    private static final Map<List<String>, String> NAMES = new LinkedHashMap<>();

    static {
        name("gpt-2", GPT2, BYTES);
        name("smollm", DIGITS, GPT2, BYTES);
        name("llama-bpe", LLAMA3, BYTES);
        name("qwen2", QWEN2, BYTES);
        name(
                "qwen35",
                CONTRACTIONS + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*"
                        + SPACES,
                BYTES);
        name("seed-coder", CONTRACTIONS + WORD + "|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+" + SPACES, BYTES);
        name("tekken", CAPITALISED + "|" + CAPITALS + "|\\p{N}" + SIGNS_AND_SLASH, BYTES);
        name(
                "gpt-4o",
                CAPITALISED + CONTRACTIONS + "?|" + CAPITALS + CONTRACTIONS + "?|\\p{N}{1,3}" + SIGNS_AND_SLASH,
                BYTES);
        name(
                "deepseek-v3",
                "\\p{N}{1,3}",
                "[一-龥぀-ゟ゠-ヿ]+",
                "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
                        + "| ?[\\p{P}\\p{S}]+[\\r\\n]*" + SPACES,
                BYTES);
        name("deepseek-coder", "[\\r\\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥ࠀ-一가-퟿]+", DIGITS, BYTES);
        name(
                "bailingmoe",
                "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*"
                        + "|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
                BYTES);
        name("bloom", " ?[^(\\s|[.,!?…。，、।۔،])]+", BYTES);
    }

    private PreTokenizers() {}

    private static void name(String name, String... steps) {
        NAMES.put(List.of(steps), name);
    }

    /**
     * llama.cpp's name of what the file states.
     *
     * @throws ConversionException if llama.cpp has none: the message has the steps and the expressions
     */
    static String name(TokenizerJson json) {
        List<String> steps = new ArrayList<>();
        for (JsonFile step : json.preTokenizers()) {
            steps.addAll(describe(json, step));
        }
        String name = NAMES.get(steps);
        if (name == null) {
            throw json.damaged("llama.cpp has no pre-tokenizer that cuts texts as this file states: "
                    + steps.stream().collect(Collectors.joining("', then '", "'", "'"))
                    + ". Known are " + String.join(", ", NAMES.values()));
        }
        // The same expression, with and without looking up whole words before merging.
        return name.equals("llama-bpe") && !json.ignoresMerges() ? "smaug-bpe" : name;
    }

    private static List<String> describe(TokenizerJson json, JsonFile step) {
        String type = step.string("type").orElse("?");
        return switch (type) {
            case "ByteLevel" -> step.bool("use_regex").orElse(true) ? List.of(GPT2, BYTES) : List.of(BYTES);
            case "Digits" -> List.of(step.bool("individual_digits").orElse(false) ? DIGITS : "digits together");
            case "Split" -> List.of(split(json, step));
            default -> List.of(type);
        };
    }

    private static String split(TokenizerJson json, JsonFile step) {
        String pattern = step.object("pattern")
                .flatMap(text -> text.string("Regex", "String"))
                .orElseThrow(() -> json.damaged("a Split has no pattern"));
        String behavior = step.string("behavior").orElse("Isolated");
        boolean inverted = step.bool("invert").orElse(false);
        String plain = canonical(pattern);
        // Removing what lies between the matches of an expression that matches everything is the same as isolating
        // them.
        boolean isolated = behavior.equals("Isolated") && !inverted || behavior.equals("Removed") && inverted;
        if (!isolated) {
            return plain + " (" + behavior + (inverted ? ", inverted)" : ")");
        }
        return plain.equals("\\p{N}") || plain.equals("\\d") ? DIGITS : plain;
    }

    /** Spellings of the same expression that occur. */
    private static String canonical(String pattern) {
        return pattern.replace("\r", "\\r")
                .replace("\n", "\\n")
                .replace("\t", "\\t")
                .replace("(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])", CONTRACTIONS);
    }
}
