package org.panallama.tools.convert;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.panallama.tools.internal.JsonFile;

/**
 * A {@code tokenizer.json}, the format of Hugging Face's tokenizers library.
 *
 * @see <a href="https://huggingface.co/docs/tokenizers/components">its components</a>
 */
final class TokenizerJson {

    record Added(int id, String content, boolean special) {}

    private final JsonFile root;
    private final JsonFile model;

    private TokenizerJson(JsonFile root, JsonFile model) {
        this.root = root;
        this.model = model;
    }

    static TokenizerJson read(Path file) {
        JsonFile root = JsonFile.read(file, ConversionException::new);
        JsonFile model = root.object("model").orElseThrow(() -> new ConversionException(file + " has no model"));
        return new TokenizerJson(root, model);
    }

    Path file() {
        return root.file();
    }

    /** Old files do not state the type: byte pair encodings have merges. */
    String type() {
        return model.string("type").orElse(model.has("merges") ? "BPE" : "WordPiece");
    }

    JsonFile model() {
        return model;
    }

    boolean byteFallback() {
        return model.bool("byte_fallback").orElse(false);
    }

    boolean ignoresMerges() {
        return model.bool("ignore_merges").orElse(false);
    }

    /** Tokens of a vocabulary that is an object: ids by text. */
    Map<String, Integer> vocabulary() {
        JsonFile object = model.object("vocab").orElseThrow(() -> damaged("model.vocab is no object"));
        Map<String, Integer> ids = new HashMap<>();
        object.json()
                .entrySet()
                .forEach(entry -> ids.put(entry.getKey(), root.tokenId(entry.getValue(), entry.getKey())));
        return ids;
    }

    /** Tokens of a vocabulary that is a list, with their log-probabilities. */
    List<Map.Entry<String, Float>> scoredVocabulary() {
        JsonElement list = model.value("vocab");
        if (list == null || !list.isJsonArray()) {
            throw damaged("model.vocab is no list");
        }
        List<Map.Entry<String, Float>> pieces = new ArrayList<>();
        for (JsonElement element : list.getAsJsonArray()) {
            if (!(element instanceof JsonArray pair) || pair.size() != 2 || !isText(pair.get(0))) {
                throw damaged("model.vocab has " + element + ", must be a pair of text and score");
            }
            pieces.add(Map.entry(pair.get(0).getAsString(), (float) root.number(pair.get(1), "model.vocab")));
        }
        return pieces;
    }

    private static boolean isText(JsonElement element) {
        return element instanceof JsonPrimitive primitive && primitive.isString();
    }

    /** In the order of their rank; each was written as one text with a space, and as a pair since there are spaces in tokens. */
    List<String[]> merges() {
        JsonElement list = model.value("merges");
        if (list == null || !list.isJsonArray()) {
            throw damaged("model.merges is no list");
        }
        List<String[]> merges = new ArrayList<>();
        for (JsonElement element : list.getAsJsonArray()) {
            merges.add(merge(element));
        }
        return merges;
    }

    private String[] merge(JsonElement element) {
        if (element instanceof JsonArray pair && pair.size() == 2 && isText(pair.get(0)) && isText(pair.get(1))) {
            return new String[] {pair.get(0).getAsString(), pair.get(1).getAsString()};
        }
        String text = isText(element) ? element.getAsString() : "";
        int space = text.indexOf(' ', 1);
        if (space < 0 || space == text.length() - 1) {
            throw damaged("model.merges has " + element + ", must be two tokens");
        }
        return new String[] {text.substring(0, space), text.substring(space + 1)};
    }

    List<Added> added() {
        List<Added> added = new ArrayList<>();
        for (JsonObject token : objects(root.value("added_tokens"))) {
            JsonFile fields = root.within(token);
            added.add(new Added(
                    fields.tokenId("id").orElseThrow(() -> damaged("an added token has no id")),
                    fields.string("content").orElseThrow(() -> damaged("an added token has no content")),
                    fields.bool("special").orElse(false)));
        }
        return added;
    }

    /** The steps before the model, a sequence taken apart. */
    List<JsonFile> preTokenizers() {
        return steps(root.object("pre_tokenizer"), "pretokenizers");
    }

    List<JsonFile> normalizers() {
        return steps(root.object("normalizer"), "normalizers");
    }

    private List<JsonFile> decoders() {
        return steps(root.object("decoder"), "decoders");
    }

    /** Whether tokens are bytes written as letters, as in GPT-2. */
    boolean byteLevel() {
        return preTokenizers().stream().anyMatch(step -> is(step, "ByteLevel"))
                || decoders().stream().anyMatch(step -> is(step, "ByteLevel"));
    }

    static boolean is(JsonFile step, String type) {
        return step.string("type").orElse("").equals(type);
    }

    private List<JsonFile> steps(Optional<JsonFile> step, String parts) {
        List<JsonFile> all = new ArrayList<>();
        step.ifPresent(s -> flatten(s, parts, all, 0));
        return all;
    }

    private void flatten(JsonFile step, String parts, List<JsonFile> all, int depth) {
        if (!is(step, "Sequence")) {
            all.add(step);
        } else if (depth < 8) {
            objects(step.value(parts)).forEach(part -> flatten(root.within(part), parts, all, depth + 1));
        }
    }

    /** Whether a special token is put around every text, or nothing if the file does not say. */
    Optional<Boolean> adds(String kind) {
        for (JsonFile processor : steps(root.object("post_processor"), "processors")) {
            if (is(processor, "RobertaProcessing") || is(processor, "BertProcessing")) {
                return Optional.of(true);
            }
            if (is(processor, "TemplateProcessing") && !kind.equals("sep")) {
                List<JsonObject> single = objects(processor.value("single"));
                if (single.size() < 2) {
                    return Optional.of(false);
                }
                JsonObject end = single.get(kind.equals("bos") ? 0 : single.size() - 1);
                return Optional.of(end.has("SpecialToken"));
            }
        }
        return Optional.empty();
    }

    private List<JsonObject> objects(@Nullable JsonElement list) {
        List<JsonObject> objects = new ArrayList<>();
        if (list != null && list.isJsonArray()) {
            for (JsonElement element : list.getAsJsonArray()) {
                if (element.isJsonObject()) {
                    objects.add(element.getAsJsonObject());
                }
            }
        }
        return objects;
    }

    ConversionException damaged(String problem) {
        return new ConversionException(file() + ": " + problem);
    }
}
