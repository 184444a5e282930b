package org.panallama.tools.convert;

import com.google.gson.JsonElement;
import java.util.Map;
import org.panallama.tools.internal.JsonFile;

/** Tokens that were added to a vocabulary after its training: {@code added_tokens.json}, {@code tokenizer_config.json}. */
final class AddedTokens {

    private static final float SCORE = -1000;

    private final TokenizerSource source;
    private final Vocabulary vocabulary;

    AddedTokens(TokenizerSource source, Vocabulary vocabulary) {
        this.source = source;
        this.vocabulary = vocabulary;
    }

    /** Adds those that stand beside a SentencePiece model. */
    void addAll() {
        JsonFile added = JsonFile.readIfPresent(source.folder().resolve("added_tokens.json"), ConversionException::new);
        for (Map.Entry<String, JsonElement> entry : added.json().entrySet()) {
            add(added.tokenId(entry.getValue(), entry.getKey()), entry.getKey(), false);
        }
        source.tokenizerConfig().object("added_tokens_decoder").ifPresent(decoder -> {
            for (Map.Entry<String, JsonElement> entry : decoder.json().entrySet()) {
                if (entry.getValue().isJsonObject()) {
                    JsonFile token = decoder.within(entry.getValue().getAsJsonObject());
                    String content = token.string("content")
                            .orElseThrow(() -> new ConversionException(
                                    decoder.file() + ": added token " + entry.getKey() + " has no content"));
                    add(
                            id(decoder, entry.getKey()),
                            content,
                            token.bool("special").orElse(false));
                }
            }
        });
    }

    private static int id(JsonFile file, String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new ConversionException(file.file() + ": '" + text + "' is no token id", e);
        }
    }

    void add(int id, String text, boolean special) {
        if (id < 0) {
            throw new ConversionException(
                    source.folder() + ": the added token '" + text + "' has the id " + id + ", must be at least 0");
        } else if (id >= vocabulary.size()) {
            source.warnings()
                    .add("the added token '" + text + "' is left out: its id " + id + " is beyond vocab_size "
                            + vocabulary.size());
        } else if (vocabulary.type(id) == Vocabulary.Type.UNKNOWN
                && vocabulary.text(id).equals(text)) {
            return; // llama.cpp falls back to the token of this type
        } else if (special || TokenizerSource.looksSpecial(text)) {
            vocabulary.set(id, text, SCORE, Vocabulary.Type.CONTROL);
        } else {
            // llama.cpp looks for them in the text before spaces are replaced.
            vocabulary.set(id, text.replace('▁', ' '), SCORE, Vocabulary.Type.USER_DEFINED);
        }
    }
}
