package org.panallama.tools.safetensors;

import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.panallama.internal.AtomicFile;

/**
 * Which file of a sharded checkpoint holds which tensor: {@code model.safetensors.index.json}.
 *
 * @param shards name of the file, in the index's folder, by name of the tensor, in the order of the index
 * @param totalSize bytes of all tensors' data, as the index states; 0 if it does not
 */
public record SafetensorsIndex(Map<String, String> shards, long totalSize) {

    /** The name of the file in a checkpoint's folder. */
    public static final String FILE_NAME = "model.safetensors.index.json";

    /** Copies the map. */
    public SafetensorsIndex {
        shards = Collections.unmodifiableMap(new LinkedHashMap<>(shards));
    }

    /**
     * Reads an index.
     *
     * @throws SafetensorsException if it is missing or damaged, or names a file outside its folder
     */
    public static SafetensorsIndex read(Path file) {
        try (BufferedReader text = Files.newBufferedReader(file);
                JsonReader json = new JsonReader(text)) {
            json.setStrictness(Strictness.STRICT);
            return parse(file, json);
        } catch (NoSuchFileException e) {
            throw new SafetensorsException(file, "does not exist", e);
        } catch (IOException | IllegalStateException | NumberFormatException | JsonParseException e) {
            throw new SafetensorsException(file, "is no valid index: " + e.getMessage(), e);
        }
    }

    private static SafetensorsIndex parse(Path file, JsonReader json) throws IOException {
        Map<String, String> shards = new LinkedHashMap<>();
        long totalSize = 0;
        json.beginObject();
        while (json.hasNext()) {
            switch (json.nextName()) {
                case "metadata" -> totalSize = totalSize(json);
                case "weight_map" -> {
                    json.beginObject();
                    while (json.hasNext()) {
                        shards.put(json.nextName(), shard(file, json.nextString()));
                    }
                    json.endObject();
                }
                default -> json.skipValue();
            }
        }
        json.endObject();
        if (shards.isEmpty()) {
            throw new SafetensorsException(file, "has no weight_map, or an empty one");
        }
        return new SafetensorsIndex(shards, totalSize);
    }

    private static long totalSize(JsonReader json) throws IOException {
        long size = 0;
        json.beginObject();
        while (json.hasNext()) {
            if (json.nextName().equals("total_size") && json.peek() == JsonToken.NUMBER) {
                size = (long) json.nextDouble(); // some writers state it as 1.0e10
            } else {
                json.skipValue();
            }
        }
        json.endObject();
        return size;
    }

    private static String shard(Path file, String name) {
        if (name.isEmpty() || name.equals("..") || name.contains("/") || name.contains("\\") || name.indexOf(0) >= 0) {
            throw new SafetensorsException(file, "names the shard '" + name + "', must be a file in the same folder");
        }
        return name;
    }

    /**
     * Writes the index; the file appears when it is complete.
     *
     * @throws org.panallama.LlamaException if it cannot be written
     */
    public void write(Path file) {
        AtomicFile.write(file, temporary -> {
            try (BufferedWriter text = Files.newBufferedWriter(temporary);
                    JsonWriter json = new JsonWriter(text)) {
                json.setIndent("  ");
                json.beginObject();
                json.name("metadata").beginObject();
                json.name("total_size").value(totalSize);
                json.endObject();
                json.name("weight_map").beginObject();
                for (Map.Entry<String, String> shard : shards.entrySet()) {
                    json.name(shard.getKey()).value(shard.getValue());
                }
                json.endObject().endObject();
                text.newLine();
            }
        });
    }
}
