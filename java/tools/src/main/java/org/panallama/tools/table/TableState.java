package org.panallama.tools.table;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.panallama.LlamaException;
import org.panallama.internal.AtomicFile;
import org.panallama.tools.perplexity.Estimate;

/** The rows that are done, in a JSON file, with what they were measured on and how. */
final class TableState {

    static final Gson GSON = new GsonBuilder()
            .setPrettyPrinting()
            .disableHtmlEscaping()
            .serializeSpecialFloatingPointValues()
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
        try {
            JsonObject root = JsonParser.parseString(Files.readString(file)).getAsJsonObject();
            JsonObject found = root.getAsJsonObject("conditions");
            this.conditions.forEach((name, value) -> {
                JsonElement other = found.get(name);
                if (other == null || !other.getAsString().equals(value)) {
                    throw new LlamaException(file + " has results of other conditions: " + name + " was "
                            + (other == null ? "none" : other.getAsString()) + ", is now " + value
                            + ". Choose another folder, or delete that file.");
                }
            });
            for (JsonElement element : root.getAsJsonArray("rows")) {
                TableRow row = row(element.getAsJsonObject());
                rows.put(row.type(), row);
            }
        } catch (IOException e) {
            throw new LlamaException(file + ": cannot be read: " + e, e);
        } catch (JsonParseException
                | IllegalStateException
                | NullPointerException
                | ClassCastException
                | NumberFormatException
                | UnsupportedOperationException e) {
            throw new LlamaException(file + " is damaged; delete it to begin again", e);
        }
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
        object.addProperty("bits_per_weight", row.bitsPerWeight());
        add(object, "perplexity", row.perplexity());
        add(object, "ln_perplexity_ratio", row.logPerplexityRatio());
        add(object, "kl_divergence", row.divergence());
        add(object, "same_top", row.sameTop());
        object.addProperty("prompt_tokens_per_second", row.promptSpeed());
        object.addProperty("decode_tokens_per_second", row.decodeSpeed());
        return object;
    }

    private static void add(JsonObject object, String name, Estimate estimate) {
        object.addProperty(name, estimate.value());
        object.addProperty(name + "_error", estimate.error());
    }

    private static TableRow row(JsonObject object) {
        return new TableRow(
                object.get("type").getAsString(),
                object.get("file_bytes").getAsLong(),
                object.get("bits_per_weight").getAsDouble(),
                estimate(object, "perplexity"),
                estimate(object, "ln_perplexity_ratio"),
                estimate(object, "kl_divergence"),
                estimate(object, "same_top"),
                object.get("prompt_tokens_per_second").getAsDouble(),
                object.get("decode_tokens_per_second").getAsDouble());
    }

    private static Estimate estimate(JsonObject object, String name) {
        return new Estimate(
                object.get(name).getAsDouble(), object.get(name + "_error").getAsDouble());
    }
}
