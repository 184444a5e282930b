import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.panallama.tools.safetensors.SafetensorsEntry;
import org.panallama.tools.safetensors.SafetensorsType;
import org.panallama.tools.safetensors.SafetensorsWriter;

/**
 * Writes a checkpoint of Llama 3's layers with random weights, and adapters of all their matrices: {@code Checkpoint FOLDER
 * LAYERS RANK...} makes {@code base} and {@code lora4}, {@code lora64}, ... The tokenizer is put beside it by whoever calls.
 */
public final class Checkpoint {

    private static final int HIDDEN = 4096;
    private static final int KEYS = 1024;
    private static final int UNIT = 14336;
    private static final int VOCABULARY = 32000;

    /** Rows and columns of a layer's matrices. */
    private static final Map<String, List<Long>> MATRICES = new LinkedHashMap<>();

    static {
        put("self_attn.q_proj", HIDDEN, HIDDEN);
        put("self_attn.k_proj", KEYS, HIDDEN);
        put("self_attn.v_proj", KEYS, HIDDEN);
        put("self_attn.o_proj", HIDDEN, HIDDEN);
        put("mlp.gate_proj", UNIT, HIDDEN);
        put("mlp.up_proj", UNIT, HIDDEN);
        put("mlp.down_proj", HIDDEN, UNIT);
    }

    private static void put(String name, long rows, long columns) {
        MATRICES.put(name, List.of(rows, columns));
    }

    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args[0]);
        int layers = Integer.parseInt(args[1]);
        writeBase(Files.createDirectories(folder.resolve("base")), layers);
        for (int i = 2; i < args.length; i++) {
            writeAdapter(Files.createDirectories(folder.resolve("lora" + args[i])), layers, Long.parseLong(args[i]));
        }
    }

    private static void writeBase(Path folder, int layers) throws IOException {
        Files.writeString(folder.resolve("config.json"), """
                {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
                 "hidden_size": %d, "intermediate_size": %d, "num_hidden_layers": %d, "vocab_size": %d,
                 "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "rope_theta": 500000.0,
                 "max_position_embeddings": 8192, "rms_norm_eps": 1e-05, "tie_word_embeddings": false}
                """.formatted(HIDDEN, UNIT, layers, VOCABULARY));
        List<SafetensorsEntry> entries = new ArrayList<>();
        entries.add(bf16("model.embed_tokens.weight", VOCABULARY, HIDDEN));
        for (int layer = 0; layer < layers; layer++) {
            String prefix = "model.layers." + layer + ".";
            MATRICES.forEach((name, shape) ->
                    entries.add(new SafetensorsEntry(prefix + name + ".weight", SafetensorsType.BF16, shape)));
            entries.add(bf16(prefix + "input_layernorm.weight", HIDDEN));
            entries.add(bf16(prefix + "post_attention_layernorm.weight", HIDDEN));
        }
        entries.add(bf16("model.norm.weight", HIDDEN));
        entries.add(bf16("lm_head.weight", VOCABULARY, HIDDEN));
        write(folder.resolve("model.safetensors"), entries);
    }

    private static SafetensorsEntry bf16(String name, long... shape) {
        return new SafetensorsEntry(name, SafetensorsType.BF16, Arrays.stream(shape).boxed().toList());
    }

    private static void writeAdapter(Path folder, int layers, long rank) throws IOException {
        String targets = MATRICES.keySet().stream()
                .map(name -> '"' + name.substring(name.indexOf('.') + 1) + '"')
                .collect(Collectors.joining(", "));
        Files.writeString(folder.resolve("adapter_config.json"), """
                {"peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "base", "r": %d,
                 "lora_alpha": %d, "bias": "none", "target_modules": [%s]}
                """.formatted(rank, 2 * rank, targets));
        List<SafetensorsEntry> entries = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            String prefix = "base_model.model.model.layers." + layer + ".";
            MATRICES.forEach((name, shape) -> {
                entries.add(new SafetensorsEntry(
                        prefix + name + ".lora_A.weight", SafetensorsType.F32, List.of(rank, shape.get(1))));
                entries.add(new SafetensorsEntry(
                        prefix + name + ".lora_B.weight", SafetensorsType.F32, List.of(shape.get(0), rank)));
            });
        }
        write(folder.resolve("adapter_model.safetensors"), entries);
    }

    /** The same 16 MB of random numbers again and again: nothing that is measured looks at more at a time. */
    private static void write(Path file, List<SafetensorsEntry> entries) throws IOException {
        ByteBuffer random = ByteBuffer.allocateDirect(16 << 20).order(ByteOrder.LITTLE_ENDIAN);
        SplittableRandom numbers = new SplittableRandom(1);
        boolean half = entries.get(0).type() == SafetensorsType.BF16;
        while (random.hasRemaining()) {
            int bits = Float.floatToIntBits((float) numbers.nextDouble(-0.02, 0.02));
            if (half) {
                random.putShort((short) (bits >>> 16));
            } else {
                random.putInt(bits);
            }
        }
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of("format", "pt"), entries)) {
            for (SafetensorsEntry entry : entries) {
                for (long done = 0; done < entry.bytes(); done += random.capacity()) {
                    writer.write(random.clear().limit((int) Math.min(random.capacity(), entry.bytes() - done)));
                }
            }
            writer.finish();
        }
    }
}
