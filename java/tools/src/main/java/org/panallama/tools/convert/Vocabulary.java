package org.panallama.tools.convert;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.panallama.gguf.GgufValue;

/** Tokens by id, as llama.cpp wants them: as many as the embedding has rows, no two alike. */
final class Vocabulary {

    /** The constants' order is that of llama.cpp's numbers, from 1. */
    enum Type {
        NORMAL,
        UNKNOWN,
        CONTROL,
        USER_DEFINED,
        UNUSED,
        BYTE
    }

    private static final float UNUSED_SCORE = -10000;

    private final String[] tokens;
    private final float[] scores;
    private final int[] types;

    /** All are unused at first. */
    Vocabulary(int size) {
        tokens = new String[size];
        scores = new float[size];
        types = new int[size];
        for (int id = 0; id < size; id++) {
            set(id, "[PAD" + id + "]", UNUSED_SCORE, Type.UNUSED);
        }
    }

    int size() {
        return tokens.length;
    }

    void set(int id, String text, float score, Type type) {
        tokens[id] = text;
        scores[id] = score;
        types[id] = type.ordinal() + 1;
    }

    String text(int id) {
        return tokens[id];
    }

    Type type(int id) {
        return Type.values()[types[id] - 1];
    }

    OptionalInt find(String text) {
        int id = Arrays.asList(tokens).indexOf(text);
        return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
    }

    void addTo(Map<String, GgufValue> metadata, boolean withScores) {
        requireDistinct();
        metadata.put("tokenizer.ggml.tokens", GgufValue.strings(Arrays.asList(tokens)));
        if (withScores) {
            metadata.put("tokenizer.ggml.scores", GgufValue.float32s(scores));
        }
        metadata.put("tokenizer.ggml.token_type", GgufValue.int32s(types));
    }

    /** llama.cpp ends the process on these. */
    private void requireDistinct() {
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < tokens.length; id++) {
            if (tokens[id].isEmpty()) {
                throw new ConversionException("the tokenizer's token " + id + " is empty");
            }
            Integer other = ids.put(tokens[id], id);
            if (other != null) {
                throw new ConversionException("the tokenizer's tokens " + other + " and " + id + " are both '"
                        + tokens[id] + "', llama.cpp needs different ones");
            }
        }
    }
}
