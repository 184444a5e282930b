package org.panallama.tools.table;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.panallama.LlamaException;
import org.panallama.internal.AtomicFile;
import org.panallama.tools.internal.JsonFile;
import org.panallama.tools.perplexity.Estimate;

/** The rows that are done, in a JSON file, with what they were measured on and how. */
final class TableState {

    static final Gson GSON = new GsonBuilder()
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .serializeNulls()
            .create();

    private final Path file;
    private final Map<String, String> conditions;
    private final Map<String, TableRow> rows = new LinkedHashMap<>();
    private final boolean isNew;

    /**
     * Reads the file, or begins it.
     *
     * @throws LlamaException if it cannot be read, or was made under other conditions
     */
    TableState(Path file, Map<String, String> conditions) {
        this.file = file;
        this.conditions = new TreeMap<>(conditions);
        isNew = !Files.exists(file);
        if (isNew) {
            write();
            return;
        }
        JsonFile root = JsonFile.read(file, (problem, cause) -> damaged(problem, cause));
        JsonFile found = root.object("conditions").orElseThrow(() -> damaged("it has no conditions", null));
        this.conditions.forEach((name, value) -> {
            String other = found.string(name).orElse("none");
            if (!other.equals(value)) {
                throw new LlamaException(file + " has results of other conditions: " + name + " was " + other
                        + ", is now " + value + ". Choose another folder, or delete that file.");
            }
        });
        if (!(root.value("rows") instanceof JsonArray array)) {
            throw damaged("it has no list of rows", null);
        }
        for (JsonElement element : array) {
            if (!(element instanceof JsonObject object)) {
                throw damaged("its row " + rows.size() + " is no object", null);
            }
            TableRow row = row(root.within(object));
            rows.put(row.type(), row);
        }
    }

    private LlamaException damaged(String problem, @Nullable Throwable cause) {
        return new LlamaException(file + " is damaged; delete it to begin again (" + problem + ")", cause);
    }

    Map<String, TableRow> rows() {
        return rows;
    }

    /** Whether what else is in the folder is of another run. */
    boolean isNew() {
        return isNew;
    }

    void add(TableRow row) {
        rows.put(row.type(), row);
        write();
    }

    private void write() {
        JsonObject root = new JsonObject();
        root.add("conditions", GSON.toJsonTree(conditions));
        JsonArray all = new JsonArray();
        rows.values().forEach(one -> all.add(json(one)));
        root.add("rows", all);
        String text = GSON.toJson(root) + "\n";
        AtomicFile.write(file, temporary -> Files.writeString(temporary, text));
    }

    static JsonObject json(TableRow row) {
        JsonObject object = new JsonObject();
        object.addProperty("type", row.type());
        object.addProperty("file_bytes", row.fileBytes());
        add(object, "bits_per_weight", row.bitsPerWeight());
        add(object, "perplexity", row.perplexity());
        add(object, "ln_perplexity_ratio", row.logPerplexityRatio());
        add(object, "kl_divergence", row.divergence());
        add(object, "same_top", row.sameTop());
        add(object, "prompt_tokens_per_second", row.promptSpeed());
        add(object, "decode_tokens_per_second", row.decodeSpeed());
        return object;
    }

    private static void add(JsonObject object, String name, Estimate estimate) {
        add(object, name, estimate.value());
        add(object, name + "_error", estimate.error());
    }

    /** JSON has no number for what is none, as the perplexity of a model that quantization broke. */
    private static void add(JsonObject object, String name, double value) {
        object.add(name, Double.isFinite(value) ? new JsonPrimitive(value) : JsonNull.INSTANCE);
    }

    private TableRow row(JsonFile row) {
        return new TableRow(
                row.string("type").orElseThrow(() -> damaged("a row has no type", null)),
                row.integer("file_bytes").orElseThrow(() -> damaged("a row has no file_bytes", null)),
                number(row, "bits_per_weight"),
                estimate(row, "perplexity"),
                estimate(row, "ln_perplexity_ratio"),
                estimate(row, "kl_divergence"),
                estimate(row, "same_top"),
                number(row, "prompt_tokens_per_second"),
                number(row, "decode_tokens_per_second"));
    }

    private Estimate estimate(JsonFile row, String name) {
        return new Estimate(number(row, name), number(row, name + "_error"));
    }

    private double number(JsonFile row, String name) {
        if (!row.json().has(name)) {
            throw damaged("a row has no " + name, null);
        }
        return row.number(name).orElse(Double.NaN);
    }
}
