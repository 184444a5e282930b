package org.panallama.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufWriterTest {

    private static final int F32 = 0;

    @TempDir
    private Path folder;

    private static final GgufTensor FIRST = new GgufTensor("first", F32, List.of(3L), 12);
    private static final GgufTensor SECOND = new GgufTensor("second", F32, List.of(2L, 1L), 8);

    /** Goes through the file by hand, so that the writer is not checked by code that shares its errors. */
    @Test
    void writesTheLayoutOfTheSpecification() throws IOException {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", GgufValue.string("llama"));
        metadata.put("a", GgufValue.uint32(0xFFFF_FFFFL));
        metadata.put("b", GgufValue.int32(-2));
        metadata.put("c", GgufValue.float32(0.5f));
        metadata.put("d", GgufValue.bool(true));
        metadata.put("e", GgufValue.int32s(1, -1));
        metadata.put("f", GgufValue.float32s(2f));
        metadata.put("g", GgufValue.strings(List.of("你", "")));
        Path file = folder.resolve("model.gguf");

        try (GgufWriter writer = GgufWriter.create(file, metadata, List.of(FIRST, SECOND))) {
            writer.write(floats(1, 2));
            assertThat(writer.current()).isEqualTo(FIRST);
            writer.write(floats(3));
            assertThat(writer.current()).isEqualTo(SECOND);
            writer.write(floats(4, 5));
            assertThat(writer.current()).isNull();
            assertThat(file).doesNotExist();
            writer.finish();
        }

        ByteBuffer data = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(bytes(data, 4)).isEqualTo("GGUF");
        assertThat(data.getInt()).isEqualTo(3);
        assertThat(data.getLong()).isEqualTo(2);
        assertThat(data.getLong()).isEqualTo(8);
        assertThat(entry(data)).isEqualTo("general.architecture:STRING");
        assertThat(text(data)).isEqualTo("llama");
        assertThat(entry(data)).isEqualTo("a:UINT32");
        assertThat(data.getInt()).isEqualTo(-1);
        assertThat(entry(data)).isEqualTo("b:INT32");
        assertThat(data.getInt()).isEqualTo(-2);
        assertThat(entry(data)).isEqualTo("c:FLOAT32");
        assertThat(data.getFloat()).isEqualTo(0.5f);
        assertThat(entry(data)).isEqualTo("d:BOOL");
        assertThat(data.get()).isEqualTo((byte) 1);
        assertThat(entry(data)).isEqualTo("e:ARRAY");
        assertThat(array(data)).isEqualTo("2 INT32");
        assertThat(data.getInt()).isEqualTo(1);
        assertThat(data.getInt()).isEqualTo(-1);
        assertThat(entry(data)).isEqualTo("f:ARRAY");
        assertThat(array(data)).isEqualTo("1 FLOAT32");
        assertThat(data.getFloat()).isEqualTo(2f);
        assertThat(entry(data)).isEqualTo("g:ARRAY");
        assertThat(array(data)).isEqualTo("2 STRING");
        assertThat(text(data)).isEqualTo("你");
        assertThat(text(data)).isEmpty();
        assertThat(text(data)).isEqualTo("first");
        assertThat(List.of(data.getInt(), data.getLong(), data.getInt(), data.getLong()))
                .isEqualTo(List.of(1, 3L, F32, 0L));
        assertThat(text(data)).isEqualTo("second");
        assertThat(List.of(data.getInt(), data.getLong(), data.getLong(), data.getInt(), data.getLong()))
                .isEqualTo(List.of(2, 2L, 1L, F32, 32L));
        int start = (data.position() + 31) / 32 * 32;
        assertThat(data.getFloat(start)).isEqualTo(1);
        assertThat(data.getFloat(start + 8)).isEqualTo(3);
        assertThat(data.getFloat(start + 32)).isEqualTo(4);
        assertThat(data.capacity()).isEqualTo(start + 64);
    }

    @Test
    void honoursTheAlignment() throws IOException {
        Path file = folder.resolve("model.gguf");
        Map<String, GgufValue> metadata = Map.of("general.alignment", GgufValue.uint32(4096));
        try (GgufWriter writer = GgufWriter.create(file, metadata, List.of(FIRST, SECOND))) {
            writer.write(floats(1, 2, 3));
            writer.write(floats(4, 5));
            writer.finish();
        }
        ByteBuffer data = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(data.capacity()).isEqualTo(3 * 4096);
        assertThat(data.getFloat(2 * 4096)).isEqualTo(4);
        assertThatThrownBy(() -> GgufWriter.create(file, Map.of("general.alignment", GgufValue.uint32(48)), List.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("48");
    }

    @Test
    void leavesTheTargetAloneUntilItIsComplete() throws IOException {
        Path file = Files.writeString(folder.resolve("model.gguf"), "old");
        try (GgufWriter writer = GgufWriter.create(file, Map.of(), List.of(FIRST))) {
            writer.write(floats(1));
            assertThatThrownBy(writer::finish)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("tensor 'first' has 4 of its 12 bytes");
            assertThatThrownBy(() -> writer.write(floats(1, 2, 3)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("room for 8");
        }
        assertThat(file).hasContent("old");
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(file);
        }
    }

    @Test
    void refusesWhatNoReaderTakes() {
        Path file = folder.resolve("model.gguf");
        assertThatThrownBy(() -> new GgufTensor("t", F32, List.of(1L, 1L, 1L, 1L, 1L), 4))
                .hasMessageContaining("5 dimensions");
        assertThatThrownBy(() -> new GgufTensor("t", F32, List.of(0L), 4)).hasMessageContaining("[0]");
        assertThatThrownBy(() -> GgufValue.uint32(-1)).hasMessageContaining("-1");
        assertThatThrownBy(() -> GgufWriter.create(file, Map.of(), List.of(FIRST, FIRST)))
                .hasMessageContaining("two tensors");
        GgufTensor longName = new GgufTensor("t".repeat(64), F32, List.of(1L), 4);
        assertThatThrownBy(() -> GgufWriter.create(file, Map.of(), List.of(longName)))
                .hasMessageContaining("63 bytes");
    }

    private static ByteBuffer floats(float... values) {
        ByteBuffer data = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        data.asFloatBuffer().put(values);
        return data;
    }

    private static String entry(ByteBuffer data) {
        return text(data) + ":" + GgufType.values()[data.getInt()];
    }

    private static String array(ByteBuffer data) {
        GgufType type = GgufType.values()[data.getInt()];
        return data.getLong() + " " + type;
    }

    private static String text(ByteBuffer data) {
        return bytes(data, Math.toIntExact(data.getLong()));
    }

    private static String bytes(ByteBuffer data, int length) {
        byte[] bytes = new byte[length];
        data.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
