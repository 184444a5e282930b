package org.panallama.tools.convert;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A small checkpoint of random float32 weights, which its maker declares one by one. */
final class RandomCheckpoint {

    private final Map<String, FloatTensor> tensors = new LinkedHashMap<>();
    private final JsonObject config;
    private final Random random;

    RandomCheckpoint(long seed, String config) {
        random = new Random(seed);
        this.config = JsonParser.parseString(config).getAsJsonObject();
    }

    JsonObject config() {
        return config;
    }

    int size(String key) {
        return config.get(key).getAsInt();
    }

    /** Numbers around 0; around 1 if it is the weight of a norm. */
    void add(String name, long... shape) {
        int elements = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
        boolean norm = name.matches(".*([nN]orm|ln)\\.weight");
        float[] values = new float[elements];
        for (int i = 0; i < elements; i++) {
            values[i] = (norm ? 1 : 0) + 0.15f * (float) random.nextGaussian();
        }
        tensors.put(name, new FloatTensor(Arrays.stream(shape).boxed().toList(), values));
    }

    boolean has(String name) {
        return tensors.containsKey(name);
    }

    float[] values(String name) {
        FloatTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new AssertionError("no tensor " + name);
        }
        return tensor.values();
    }

    void remove(String name) {
        tensors.remove(name);
    }

    void rename(String from, String to) {
        tensors.put(to, tensors.remove(from));
    }

    /** Puts the experts of each layer into one tensor for gate and up and one for down, as Transformers 5 does. */
    void fuseExperts(String moe, String gate, String up, String down) {
        int experts = config.has("num_experts") ? size("num_experts") : size("num_local_experts");
        for (int layer = 0; layer < size("num_hidden_layers"); layer++) {
            String prefix = "model.layers." + layer + "." + moe + ".experts.";
            List<FloatTensor> gateUp = new ArrayList<>();
            List<FloatTensor> downs = new ArrayList<>();
            for (int expert = 0; expert < experts; expert++) {
                gateUp.add(tensors.remove(prefix + expert + "." + gate + ".weight"));
                gateUp.add(tensors.remove(prefix + expert + "." + up + ".weight"));
                downs.add(tensors.remove(prefix + expert + "." + down + ".weight"));
            }
            tensors.put(prefix + "gate_up_proj", stack(gateUp, experts));
            tensors.put(prefix + "down_proj", stack(downs, experts));
        }
    }

    private static FloatTensor stack(List<FloatTensor> parts, int experts) {
        List<Long> shape = parts.get(0).shape();
        float[] all = new float[parts.size() * parts.get(0).values().length];
        for (int i = 0; i < parts.size(); i++) {
            float[] part = parts.get(i).values();
            System.arraycopy(part, 0, all, i * part.length, part.length);
        }
        return new FloatTensor(List.of((long) experts, shape.get(0) * parts.size() / experts, shape.get(1)), all);
    }

    Path write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("config.json"), new Gson().toJson(config));
        FloatTensor.write(folder.resolve("model.safetensors"), tensors);
        return folder;
    }
}
