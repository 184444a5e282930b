package org.panallama.engine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.panallama.gguf.GgmlType;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufTensor;
import org.panallama.gguf.GgufValue;
import org.panallama.gguf.GgufWriter;

/** Writes a random LoRA adapter of a model's attention, strong enough to change what it says. */
final class SmallLora {

    private static final int RANK = 4;

    private SmallLora() {}

    static Path write(Path model, Path file, long seed) throws IOException {
        GgufFile gguf = GgufFile.open(model);
        List<Long> shape = gguf.tensor("blk.0.attn_v.weight").orElseThrow().shape();
        String architecture = gguf.string("general.architecture").orElseThrow();
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.type", GgufValue.string("adapter"));
        metadata.put("general.architecture", GgufValue.string(architecture));
        metadata.put("adapter.type", GgufValue.string("lora"));
        metadata.put("adapter.lora.alpha", GgufValue.float32(RANK));
        List<GgufTensor> tensors = List.of(
                GgufTensor.of("blk.0.attn_v.weight.lora_a", GgmlType.F32, List.of(shape.get(0), (long) RANK)),
                GgufTensor.of("blk.0.attn_v.weight.lora_b", GgmlType.F32, List.of((long) RANK, shape.get(1))));
        Random random = new Random(seed);
        try (GgufWriter writer = GgufWriter.create(file, metadata, tensors)) {
            for (GgufTensor tensor : tensors) {
                ByteBuffer data =
                        ByteBuffer.allocate(Math.toIntExact(tensor.bytes())).order(ByteOrder.LITTLE_ENDIAN);
                while (data.hasRemaining()) {
                    data.putFloat((float) random.nextGaussian() * 0.5f);
                }
                writer.write(data.flip());
            }
            writer.finish();
        }
        return file;
    }
}
