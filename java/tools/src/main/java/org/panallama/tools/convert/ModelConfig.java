package org.panallama.tools.convert;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.panallama.tools.internal.JsonFile;

/** A checkpoint's {@code config.json}, in the spellings of Transformers 4 and 5. */
final class ModelConfig {

    private static final String[] EXPERTS = {"num_local_experts", "num_experts"};

    private static final String[] FEED_FORWARD = {"intermediate_size", "n_inner", "hidden_dim"};

    private final JsonFile json;
    private final String className;

    private ModelConfig(JsonFile json, String className) {
        this.json = json;
        this.className = className;
    }

    static ModelConfig read(Path folder) {
        JsonFile root = JsonFile.read(folder.resolve("config.json"), ConversionException::new);
        JsonElement names = root.value("architectures");
        if (!(names instanceof JsonArray list)
                || list.isEmpty()
                || !(list.get(0) instanceof JsonPrimitive name)
                || !name.isString()) {
            throw new ConversionException(root.file() + " has no architectures, which name the model's class");
        }
        refuseQuantized(root);
        return new ModelConfig(flat(root), name.getAsString());
    }

    /** Multimodal models keep the language model's values in an object of their own. */
    private static JsonFile flat(JsonFile root) {
        Optional<JsonFile> inner = root.object("text_config");
        if (inner.isEmpty()) {
            return root;
        }
        JsonObject all = root.json().deepCopy();
        inner.get().json().entrySet().forEach(entry -> all.add(entry.getKey(), entry.getValue()));
        return root.within(all);
    }

    private static void refuseQuantized(JsonFile root) {
        root.object("quantization_config").ifPresent(quantization -> {
            throw new ConversionException(root.file() + " says that the weights are quantized already ("
                    + quantization.string("quant_method").orElse("quantization_config")
                    + "): convert the original checkpoint");
        });
    }

    JsonFile json() {
        return json;
    }

    /** The class in Transformers that computes the model. */
    String className() {
        return className;
    }

    long layers() {
        return json.size("num_hidden_layers", "n_layers", "n_layer");
    }

    long hidden() {
        return json.size("hidden_size", "n_embd", "dim");
    }

    long heads() {
        return json.size("num_attention_heads", "n_head", "n_heads");
    }

    long kvHeads() {
        return json.sizeIfPresent("num_key_value_heads", "n_kv_heads").orElseGet(this::heads);
    }

    /** The size of a head if it is stated. */
    OptionalLong statedHeadSize() {
        return json.sizeIfPresent("head_dim");
    }

    long headSize() {
        return statedHeadSize().orElseGet(() -> {
            if (hidden() < heads()) {
                throw new ConversionException(
                        json.file() + " has " + heads() + " heads for a hidden size of " + hidden());
            }
            return hidden() / heads();
        });
    }

    long feedForward() {
        return json.size(FEED_FORWARD);
    }

    long vocabulary() {
        return json.size("vocab_size");
    }

    long context() {
        return json.size("max_position_embeddings", "n_positions", "n_ctx");
    }

    OptionalLong experts() {
        return json.sizeIfPresent(EXPERTS);
    }

    boolean tiedEmbeddings() {
        return json.bool("tie_word_embeddings").orElse(false);
    }

    /** The names of a classifier's outputs, by number. */
    List<String> labels() {
        List<String> labels = new ArrayList<>();
        for (int i = 0; i < labelCount(); i++) {
            String id = Integer.toString(i);
            labels.add(json.object("id2label")
                    .flatMap(names -> names.string(id))
                    .filter(name -> !name.isBlank())
                    .orElse("LABEL_" + id));
        }
        return labels;
    }

    /** Transformers states those only that are not two. */
    private int labelCount() {
        return json.object("id2label")
                .map(names -> names.json().size())
                .filter(count -> count > 0)
                .orElse(2);
    }

    /** The object that describes the rotary embedding, empty if it is the plain one. */
    JsonFile rope() {
        JsonFile rope = json.object("rope_parameters", "rope_scaling").orElseGet(() -> json.within(new JsonObject()));
        // Models with layers of two kinds have one object for each kind.
        return rope.object("full_attention").orElse(rope);
    }

    double ropeBase() {
        return rope().number("rope_theta")
                .orElseGet(() -> json.number("rope_theta").orElse(10000));
    }

    /** What the dimensions in the tables of tensors are called, and how large they are. */
    Map<String, Long> dimensions() {
        Map<String, Long> sizes = new LinkedHashMap<>();
        sizes.put("vocab", vocabulary());
        sizes.put("hidden", hidden());
        sizes.put("q", heads() * headSize());
        sizes.put("kv", kvHeads() * headSize());
        sizes.put("head", headSize());
        sizes.put("1", 1L);
        put(sizes, "ff", FEED_FORWARD);
        put(sizes, "experts", EXPERTS);
        put(sizes, "expert_ff", "moe_intermediate_size", "intermediate_size");
        put(sizes, "shared_ff", "shared_expert_intermediate_size");
        put(sizes, "positions", "max_position_embeddings");
        put(sizes, "types", "type_vocab_size");
        sizes.put("labels", (long) labelCount());
        sizes.put("answers", (long) Qwen3Reranker.ANSWERS.size());
        return sizes;
    }

    private void put(Map<String, Long> sizes, String name, String... keys) {
        if (json.value(keys) != null) {
            sizes.put(name, json.size(keys));
        }
    }

    /** The tokens that end a text, where {@code config.json} or {@code generation_config.json} lists them. */
    static List<Integer> endTokens(JsonFile file) {
        List<Integer> ids = new ArrayList<>();
        JsonElement value = file.value("eos_token_id");
        if (value != null && value.isJsonArray()) {
            value.getAsJsonArray().forEach(id -> ids.add(file.tokenId(id, "eos_token_id")));
        } else if (value != null) {
            file.tokenId("eos_token_id").ifPresent(ids::add);
        }
        ids.removeIf(id -> id < 0); // how some state that there is none
        return ids;
    }
}
