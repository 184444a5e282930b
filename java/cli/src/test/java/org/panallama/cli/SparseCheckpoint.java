package org.panallama.cli;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A Mixtral of one layer with 65 million weights, and an adapter for it: all zeros, which take no room on the disk. */
final class SparseCheckpoint {

    private static final Path SMALL = Path.of("../tools/src/test/resources/mixtral-random");
    private static final int HIDDEN = 1024;
    private static final int FEED_FORWARD = 4096;
    private static final int EXPERTS = 4;
    private static final int HEADS = 16;
    private static final int VOCAB = 5120; // that of the small one's tokenizer
    private static final int RANK = 16;
    private static final String LAYER = "model.layers.0.";

    private SparseCheckpoint() {}

    static void write(Path folder) throws IOException {
        Files.createDirectory(folder);
        for (String name : List.of("tokenizer.model", "tokenizer_config.json", "special_tokens_map.json")) {
            Files.copy(SMALL.resolve(name), folder.resolve(name));
        }
        JsonObject config = JsonParser.parseString(Files.readString(SMALL.resolve("config.json")))
                .getAsJsonObject();
        config.addProperty("hidden_size", HIDDEN);
        config.addProperty("intermediate_size", FEED_FORWARD);
        config.addProperty("num_hidden_layers", 1);
        config.addProperty("num_attention_heads", HEADS);
        config.addProperty("num_key_value_heads", HEADS);
        config.addProperty("num_local_experts", EXPERTS);
        Files.writeString(folder.resolve("config.json"), config.toString());
        Map<String, int[]> tensors = new LinkedHashMap<>();
        for (String name : List.of("model.embed_tokens", "lm_head")) {
            tensors.put(name + ".weight", new int[] {VOCAB, HIDDEN});
        }
        for (String name : List.of("model.norm", LAYER + "input_layernorm", LAYER + "post_attention_layernorm")) {
            tensors.put(name + ".weight", new int[] {HIDDEN});
        }
        for (String name : List.of("q", "k", "v", "o")) {
            tensors.put(LAYER + "self_attn." + name + "_proj.weight", new int[] {HIDDEN, HIDDEN});
        }
        tensors.put(LAYER + "block_sparse_moe.gate.weight", new int[] {EXPERTS, HIDDEN});
        experts().forEach((name, shape) -> tensors.put(name + ".weight", shape));
        safetensors(folder.resolve("model.safetensors"), tensors);
    }

    static void writeAdapter(Path folder) throws IOException {
        Files.createDirectory(folder);
        Files.writeString(
                folder.resolve("adapter_config.json"),
                "{\"peft_type\": \"LORA\", \"task_type\": \"CAUSAL_LM\", \"r\": " + RANK + ", \"lora_alpha\": " + RANK
                        + ", \"bias\": \"none\", \"target_modules\": [\"w1\", \"w2\", \"w3\"]}");
        Map<String, int[]> tensors = new LinkedHashMap<>();
        experts().forEach((name, shape) -> {
            tensors.put("base_model.model." + name + ".lora_A.weight", new int[] {RANK, shape[1]});
            tensors.put("base_model.model." + name + ".lora_B.weight", new int[] {shape[0], RANK});
        });
        safetensors(folder.resolve("adapter_model.safetensors"), tensors);
    }

    private static Map<String, int[]> experts() {
        Map<String, int[]> experts = new LinkedHashMap<>();
        for (int i = 0; i < EXPERTS; i++) {
            String name = LAYER + "block_sparse_moe.experts." + i;
            experts.put(name + ".w1", new int[] {FEED_FORWARD, HIDDEN});
            experts.put(name + ".w2", new int[] {HIDDEN, FEED_FORWARD});
            experts.put(name + ".w3", new int[] {FEED_FORWARD, HIDDEN});
        }
        return experts;
    }

    private static void safetensors(Path file, Map<String, int[]> tensors) throws IOException {
        StringBuilder header = new StringBuilder();
        long end = 0;
        for (Map.Entry<String, int[]> tensor : tensors.entrySet()) {
            long begin = end;
            long bytes = Float.BYTES;
            StringBuilder shape = new StringBuilder();
            for (int size : tensor.getValue()) {
                bytes *= size;
                shape.append(shape.isEmpty() ? "" : ",").append(size);
            }
            end += bytes;
            header.append(header.isEmpty() ? "{" : ",")
                    .append("\"" + tensor.getKey() + "\":{\"dtype\":\"F32\",\"shape\":[" + shape
                            + "],\"data_offsets\":[" + begin + "," + end + "]}");
        }
        byte[] json = header.append("}").toString().getBytes(StandardCharsets.UTF_8);
        try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
            out.write(ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(json.length)
                    .array());
            out.write(json);
            out.setLength(out.length() + end);
        }
    }
}
