package org.panallama.server;

import com.google.gson.JsonElement;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.panallama.Vocab;

/** Inputs that are a text, a list of tokens, or a list of either. */
final class TokenInput {

    private TokenInput() {}

    /**
     * An input.
     *
     * @param tokens as they were given, {@code null} if it was a text
     */
    record Entry(String text, int @Nullable [] tokens) {}

    static List<Entry> read(JsonElement value, String path, Vocab vocab, int most) {
        if (!value.isJsonArray()) {
            return List.of(new Entry(Fields.text(value, path), null));
        }
        List<JsonElement> elements = value.getAsJsonArray().asList();
        if (elements.isEmpty()) {
            throw ApiException.badField(path, "'" + path + "' is empty");
        }
        if (isNumber(elements.get(0))) {
            return List.of(ofTokens(elements, path, vocab));
        }
        List<Entry> entries = new ArrayList<>();
        for (JsonElement element : Fields.list(value, path, most)) {
            String place = path + "[" + entries.size() + "]";
            if (element.isJsonArray()) {
                entries.add(ofTokens(element.getAsJsonArray().asList(), place, vocab));
            } else {
                entries.add(new Entry(Fields.text(element, place), null));
            }
        }
        return entries;
    }

    private static boolean isNumber(JsonElement element) {
        return element.isJsonPrimitive() && element.getAsJsonPrimitive().isNumber();
    }

    private static Entry ofTokens(List<JsonElement> elements, String path, Vocab vocab) {
        int[] tokens = tokens(elements, path, vocab);
        return new Entry(vocab.detokenize(tokens, true, true), tokens);
    }

    static int[] tokens(List<JsonElement> elements, String path, Vocab vocab) {
        int[] tokens = new int[elements.size()];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = (int) Fields.whole(elements.get(i), path + "[" + i + "]", 0, vocab.size() - 1L);
        }
        return tokens;
    }
}
