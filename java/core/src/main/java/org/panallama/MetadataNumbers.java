package org.panallama;

import java.util.Map;
import java.util.OptionalInt;

/** Whole numbers among a model's metadata, which says everything in text. */
final class MetadataNumbers {

    private static final int LONGEST = 10; // digits of an int

    private MetadataNumbers() {}

    /**
     * A number that is 0 or more. Empty where there is none, where it is not an {@code int}, and for the -1 that llama.cpp
     * writes unsigned for what is not stated.
     */
    static OptionalInt find(Map<String, String> metadata, String key) {
        String value = metadata.getOrDefault(key, "");
        if (value.isEmpty() || value.length() > LONGEST || !value.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return OptionalInt.empty();
        }
        long number = Long.parseLong(value);
        return number <= Integer.MAX_VALUE ? OptionalInt.of((int) number) : OptionalInt.empty();
    }
}
