package org.panallama.tools;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.panallama.LlamaException;
import org.panallama.gguf.GgufValue;
import org.panallama.internal.GgufFile;

/** The tokenizer of one model, with tokens added so that it has the vocabulary size of another. */
final class SynthVocab {

    private static final String PREFIX = "tokenizer.";
    private static final String TOKENS = "tokenizer.ggml.tokens";
    private static final String SCORES = "tokenizer.ggml.scores";
    private static final String TYPES = "tokenizer.ggml.token_type";
    private static final int NORMAL = 1;

    /** Below every score of a trained vocabulary, so that no text becomes an added token. */
    private static final float LOWEST_SCORE = -1e9f;

    private SynthVocab() {}

    /** The metadata of the tokenizer. */
    static Map<String, GgufValue> extended(GgufFile source, int size) {
        Map<String, GgufValue> values = new LinkedHashMap<>();
        source.metadata().forEach((key, value) -> {
            if (key.startsWith(PREFIX)) {
                values.put(key, copy(source, key, value, value.length()));
            }
        });
        org.panallama.internal.GgufValue tokens = source.metadata().get(TOKENS);
        if (tokens == null || !tokens.isArray()) {
            throw new LlamaException(source.path() + " has no tokenizer to take");
        }
        if (tokens.length() > size) {
            throw new LlamaException(source.path() + " has a vocabulary of " + tokens.length()
                    + " tokens, more than the " + size + " of the shape; take the tokenizer of another model");
        }
        for (String key : List.of(TOKENS, SCORES, TYPES)) {
            values.computeIfPresent(
                    key, (k, old) -> copy(source, key, source.metadata().get(key), size));
        }
        return values;
    }

    private static GgufValue copy(GgufFile source, String key, org.panallama.internal.GgufValue value, int length) {
        if (!value.isArray()) {
            return switch (value.type()) {
                case STRING -> GgufValue.string(value.string(0));
                case BOOL -> GgufValue.bool(value.integer(0) != 0);
                case FLOAT32 -> GgufValue.float32((float) value.number(0));
                case UINT32 -> GgufValue.uint32(value.integer(0));
                case INT32 -> GgufValue.int32((int) value.integer(0));
                default -> throw unexpected(source, key, value);
            };
        }
        return switch (value.type()) {
            case STRING -> GgufValue.strings(texts(value, length));
            case FLOAT32 -> GgufValue.float32s(numbers(value, length));
            case INT32 -> GgufValue.int32s(integers(value, length));
            default -> throw unexpected(source, key, value);
        };
    }

    private static List<String> texts(org.panallama.internal.GgufValue value, int length) {
        List<String> texts = new ArrayList<>(length);
        for (int i = 0; i < length; i++) {
            texts.add(i < value.length() ? value.string(i) : "<extra_" + i + ">");
        }
        return texts;
    }

    private static float[] numbers(org.panallama.internal.GgufValue value, int length) {
        float[] numbers = new float[length];
        for (int i = 0; i < length; i++) {
            numbers[i] = i < value.length() ? (float) value.number(i) : LOWEST_SCORE;
        }
        return numbers;
    }

    private static int[] integers(org.panallama.internal.GgufValue value, int length) {
        int[] integers = new int[length];
        for (int i = 0; i < length; i++) {
            integers[i] = i < value.length() ? (int) value.integer(i) : NORMAL;
        }
        return integers;
    }

    private static LlamaException unexpected(GgufFile source, String key, org.panallama.internal.GgufValue value) {
        return new LlamaException(source.path() + ": cannot copy '" + key + "', which is " + value);
    }
}
