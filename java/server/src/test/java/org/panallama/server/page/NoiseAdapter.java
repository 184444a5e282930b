package org.panallama.server.page;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.panallama.gguf.GgufTensor;
import org.panallama.gguf.GgufValue;
import org.panallama.gguf.GgufWriter;

/** A LoRA adapter of the embedded model that makes it talk nonsense. */
public final class NoiseAdapter {

    private static final int F32 = 0;
    private static final long HIDDEN = 256;
    private static final long RANK = 4;

    private NoiseAdapter() {}

    public static void write(Path file) throws IOException {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.type", GgufValue.string("adapter"));
        metadata.put("general.architecture", GgufValue.string("llama"));
        metadata.put("adapter.type", GgufValue.string("lora"));
        metadata.put("adapter.lora.alpha", GgufValue.float32(RANK));
        List<GgufTensor> tensors = List.of(
                half("blk.5.attn_output.weight.lora_a", List.of(HIDDEN, RANK)),
                half("blk.5.attn_output.weight.lora_b", List.of(RANK, HIDDEN)));
        Random random = new Random(42);
        try (GgufWriter writer = GgufWriter.create(file, metadata, tensors)) {
            for (GgufTensor tensor : tensors) {
                ByteBuffer data =
                        ByteBuffer.allocate(Math.toIntExact(tensor.bytes())).order(ByteOrder.LITTLE_ENDIAN);
                while (data.hasRemaining()) {
                    data.putFloat((float) random.nextGaussian());
                }
                writer.write(data.flip());
            }
            writer.finish();
        }
    }

    private static GgufTensor half(String name, List<Long> shape) {
        return new GgufTensor(name, F32, shape, HIDDEN * RANK * Float.BYTES);
    }
}
