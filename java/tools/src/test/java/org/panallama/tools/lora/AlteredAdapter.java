package org.panallama.tools.lora;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.panallama.tools.convert.FloatTensor;
import org.panallama.tools.safetensors.Safetensors;

/** The fixture's adapter, or an empty one, with changes, written to a folder of its own. */
final class AlteredAdapter {

    private final JsonObject config;
    private final Map<String, FloatTensor> tensors = new LinkedHashMap<>();

    private AlteredAdapter(JsonObject config) {
        this.config = config;
    }

    static AlteredAdapter ofFixture() throws IOException {
        AlteredAdapter adapter = new AlteredAdapter(
                JsonParser.parseString(Files.readString(Fixture.ADAPTER.resolve("adapter_config.json")))
                        .getAsJsonObject());
        Safetensors.open(Fixture.ADAPTER.resolve("adapter_model.safetensors"))
                .tensors()
                .forEach((name, tensor) -> adapter.put(name, tensor.shape(), tensor.floats()));
        return adapter;
    }

    static AlteredAdapter empty(int rank, double alpha) {
        JsonObject config = new JsonObject();
        config.addProperty("peft_type", "LORA");
        config.addProperty("r", rank);
        config.addProperty("lora_alpha", alpha);
        return new AlteredAdapter(config);
    }

    AlteredAdapter set(String key, String json) {
        config.add(key, JsonParser.parseString(json));
        return this;
    }

    AlteredAdapter put(String name, List<Long> shape, float... values) {
        tensors.put(name, new FloatTensor(shape, values));
        return this;
    }

    AlteredAdapter random(String name, long rows, long columns, int seed) {
        Random random = new Random(seed);
        float[] values = new float[(int) (rows * columns)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (random.nextFloat() - 0.5f) / 10;
        }
        return put(name, List.of(rows, columns), values);
    }

    AlteredAdapter remove(String part) {
        tensors.keySet().removeIf(name -> name.contains(part));
        return this;
    }

    /** Makes a pair of a higher rank of it, which has the same product. */
    AlteredAdapter widen(String module, int rank) {
        FloatTensor a = tensors.get(module + ".lora_A.weight");
        FloatTensor b = tensors.get(module + ".lora_B.weight");
        long columns = a.shape().get(1);
        long rows = b.shape().get(0);
        int narrow = b.shape().get(1).intValue();
        float[] wideA = Arrays.copyOf(a.values(), (int) (rank * columns));
        float[] wideB = new float[(int) (rows * rank)];
        for (int row = 0; row < rows; row++) {
            System.arraycopy(b.values(), row * narrow, wideB, row * rank, narrow);
        }
        put(module + ".lora_A.weight", List.of((long) rank, columns), wideA);
        return put(module + ".lora_B.weight", List.of(rows, (long) rank), wideB);
    }

    Path write(Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("adapter_config.json"), config.toString());
        checkpoint(folder.resolve("adapter_model.safetensors"));
        return folder;
    }

    /** Only the tensors. */
    Path checkpoint(Path file) throws IOException {
        FloatTensor.write(file, tensors);
        return file;
    }
}
