package org.panallama.tools.convert;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.panallama.tools.safetensors.SafetensorsEntry;
import org.panallama.tools.safetensors.SafetensorsType;
import org.panallama.tools.safetensors.SafetensorsWriter;

/** A float32 tensor of a checkpoint or adapter that a test makes. */
public record FloatTensor(List<Long> shape, float[] values) {

    /** Writes tensors into a safetensors file, in the order of the map. */
    public static void write(Path file, Map<String, FloatTensor> tensors) throws IOException {
        List<SafetensorsEntry> entries = tensors.entrySet().stream()
                .map(each -> new SafetensorsEntry(
                        each.getKey(), SafetensorsType.F32, each.getValue().shape()))
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of("format", "pt"), entries)) {
            for (FloatTensor tensor : tensors.values()) {
                ByteBuffer data = ByteBuffer.allocate(tensor.values().length * Float.BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN);
                data.asFloatBuffer().put(tensor.values());
                writer.write(data);
            }
            writer.finish();
        }
    }
}
