package org.panallama.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Sound files of a kilobyte or two with all that a file can have. */
final class SmallFiles {

    private SmallFiles() {}

    /** Both versions and byte orders, whole, split, and without tensors. */
    static List<byte[]> all(Path folder) throws IOException {
        List<byte[]> files = new ArrayList<>();
        Map<String, GgufValue> metadata = metadata();
        for (GgufFormat format : List.of(
                GgufFormat.CURRENT,
                new GgufFormat(2, ByteOrder.LITTLE_ENDIAN),
                new GgufFormat(3, ByteOrder.BIG_ENDIAN))) {
            files.add(file(folder, format, metadata, tensors()));
        }
        files.add(file(folder, GgufFormat.CURRENT, Map.of("general.alignment", GgufValue.uint32(64)), tensors()));
        files.add(file(folder, GgufFormat.CURRENT, metadata, List.of()));
        metadata.put(GgufModel.SPLIT_NUMBER, GgufValue.integer(GgufType.UINT16, 0));
        metadata.put(GgufModel.SPLIT_COUNT, GgufValue.integer(GgufType.UINT16, 1));
        metadata.put(GgufModel.SPLIT_TENSORS, GgufValue.int32(5));
        files.add(file(folder, GgufFormat.CURRENT, metadata, tensors()));
        return files;
    }

    private static Map<String, GgufValue> metadata() {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", GgufValue.string("llama"));
        metadata.put("general.alignment", GgufValue.uint32(32));
        for (GgufType type : GgufType.values()) {
            if (type.isInteger()) {
                metadata.put("n." + type, GgufValue.integer(type, 3));
                metadata.put("a." + type, GgufValue.integers(type, 1, 2, 3));
            }
        }
        metadata.put("f32", GgufValue.float32(1.5f));
        metadata.put("f64", GgufValue.float64(2.5));
        metadata.put("bool", GgufValue.bool(true));
        metadata.put("f32s", GgufValue.float32s(1, 2));
        metadata.put("f64s", GgufValue.float64s(1, 2));
        metadata.put("bools", GgufValue.bools(true, false));
        metadata.put("strings", GgufValue.strings(List.of("a", "bc", "", "你好", "\0")));
        metadata.put("none", GgufValue.strings(List.of()));
        return metadata;
    }

    private static List<GgufTensor> tensors() {
        return List.of(
                GgufTensor.of("token_embd.weight", GgmlType.F32, List.of(4L, 3L)),
                GgufTensor.of("norm", GgmlType.F16, List.of(5L)),
                GgufTensor.of("one", GgmlType.BF16, List.of()),
                GgufTensor.of("blk.0.ffn_gate.0.weight", GgmlType.Q8_0, List.of(32L, 2L, 1L)),
                GgufTensor.of("super", GgmlType.Q4_K, List.of(256L, 1L, 1L, 1L)));
    }

    private static byte[] file(
            Path folder, GgufFormat format, Map<String, GgufValue> metadata, List<GgufTensor> tensors)
            throws IOException {
        Path path = Files.createTempFile(folder, "sound", ".gguf");
        try (GgufWriter writer = GgufWriter.create(path, format, metadata, tensors)) {
            for (GgufTensor tensor : tensors) {
                writer.write(ByteBuffer.allocate((int) tensor.bytes()));
            }
            writer.finish();
        }
        byte[] bytes = Files.readAllBytes(path);
        Files.delete(path);
        return bytes;
    }
}
