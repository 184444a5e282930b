package org.panallama.tools.convert;

import com.google.gson.JsonElement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.panallama.tools.internal.JsonFile;

/** What a checkpoint says about its tokenizer, over several files. */
record TokenizerSource(
        Path folder,
        Architecture architecture,
        ModelConfig config,
        JsonFile tokenizerConfig,
        JsonFile specialTokens,
        JsonFile generation,
        @Nullable TokenizerJson json,
        List<String> warnings) {

    static TokenizerSource read(
            Path folder, Architecture architecture, ModelConfig config, JsonFile generation, List<String> warnings) {
        Path json = folder.resolve("tokenizer.json");
        return new TokenizerSource(
                folder,
                architecture,
                config,
                JsonFile.readIfPresent(folder.resolve("tokenizer_config.json"), ConversionException::new),
                JsonFile.readIfPresent(folder.resolve("special_tokens_map.json"), ConversionException::new),
                generation,
                Files.exists(json) ? TokenizerJson.read(json) : null,
                warnings);
    }

    int vocabularySize() {
        return Math.toIntExact(config.vocabulary());
    }

    /** The text of a special token: {@code bos}, {@code eos}, … */
    Optional<String> special(String kind) {
        return text(tokenizerConfig, kind + "_token").or(() -> text(specialTokens, kind + "_token"));
    }

    /** A text, or an object with the text in it. */
    private static Optional<String> text(JsonFile file, String key) {
        JsonElement value = file.value(key);
        if (value != null && value.isJsonObject()) {
            return file.within(value.getAsJsonObject()).string("content");
        }
        return file.string(key);
    }

    /** A token that is written for control, even if its maker did not mark it so. */
    static boolean looksSpecial(String token) {
        return token.equals("<pad>")
                || token.equals("<mask>")
                || token.startsWith("<|") && token.endsWith("|>")
                || token.startsWith("<｜") && token.endsWith("｜>")
                || token.startsWith("<unused") && token.endsWith(">");
    }
}
