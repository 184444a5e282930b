package org.panallama.tools.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {

    @TempDir
    Path folder;

    @Test
    void whatIsWrittenIsRead() throws IOException {
        Path file = folder.resolve("model.safetensors");
        List<SafetensorsEntry> entries = List.of(
                new SafetensorsEntry("a", SafetensorsType.F32, List.of(2L, 3L)),
                new SafetensorsEntry("nothing", SafetensorsType.F16, List.of(0L, 7L)),
                new SafetensorsEntry("词", SafetensorsType.I64, List.of()),
                new SafetensorsEntry("half", SafetensorsType.BF16, List.of(2L)));
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, Map.of("format", "pt"), entries)) {
            writer.write(little(24)
                    .putFloat(1)
                    .putFloat(2)
                    .putFloat(3)
                    .putFloat(4)
                    .putFloat(5)
                    .flip());
            writer.write(little(4).putFloat(6).flip());
            assertThat(writer.current()).isEqualTo(entries.get(2));
            writer.write(little(8).putLong(-9).flip());
            writer.write(
                    little(4).putShort((short) 0x3F80).putShort((short) 0xC000).flip());
            assertThat(file).doesNotExist();
            writer.finish();
        }
        assertThat(Files.readAllBytes(file).length % 4).isZero();
        Safetensors read = Safetensors.open(folder);
        assertThat(read.metadata()).containsExactly(Map.entry("format", "pt"));
        assertThat(read.tensors().keySet()).containsExactly("a", "nothing", "词", "half");
        assertThat(read.require("a").entry()).isEqualTo(entries.get(0));
        assertThat(read.require("a").floats()).containsExactly(1, 2, 3, 4, 5, 6);
        assertThat(read.require("nothing").floats()).isEmpty();
        assertThat(read.require("词").floats()).containsExactly(-9);
        assertThat(read.require("half").floats()).containsExactly(1, -2);
        assertThat(read.require("half").slice(2, 2).getShort()).isEqualTo((short) 0xC000);
        assertThat(read.bytes()).isEqualTo(36);
        assertThat(read.find("b")).isNull();
        assertThatThrownBy(() -> read.require("b")).hasMessageContaining("no tensor 'b'");
        assertThatThrownBy(() -> read.require("half").slice(3, 2)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "F8_E4M3, 7E, 448",
        "F8_E4M3, 01, 0.001953125",
        "F8_E4M3, FF, NaN",
        "F8_E4M3, B8, -1",
        "F8_E5M2, 7B, 57344",
        "F8_E5M2, FC, -Infinity",
        "F8_E5M2, 01, 0.0000152587890625",
        "F16, 003C, 1",
        "F16, 0100, 5.9604645E-8",
        "F16, FFFB, -65504",
        "F16, 007C, Infinity",
        "F16, 007E, NaN",
        "BF16, 80BF, -1",
        "BOOL, 01, 1",
        "I8, FF, -1",
        "U8, FF, 255",
        "I16, FEFF, -2",
        "U16, FEFF, 65534",
        "I32, FFFFFFFF, -1",
        "U32, 000000FF, 4278190080",
        "F64, 000000000000F83F, 1.5"
    })
    void everyTypeIsReadAsNumbers(SafetensorsType type, String hex, float value) throws IOException {
        byte[] data = java.util.HexFormat.of().parseHex(hex);
        Path file = folder.resolve("one.safetensors");
        try (SafetensorsWriter writer =
                SafetensorsWriter.create(file, Map.of(), List.of(new SafetensorsEntry("x", type, List.of(1L))))) {
            writer.write(ByteBuffer.wrap(data));
            writer.finish();
        }
        assertThat(Safetensors.open(file).require("x").floats()).containsExactly(value);
    }

    @Test
    void typesWithoutNumbersAreRefused() throws IOException {
        Path file = raw("{\"x\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[0,1]}}", 1);
        SafetensorsTensor tensor = Safetensors.open(file).require("x");
        assertThat(tensor.bytes()).isEqualTo(1);
        assertThatThrownBy(tensor::floats)
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining("'x' has the type F4");
    }

    @Test
    void shardsAreFoundThroughTheIndex() throws IOException {
        write("model-00001-of-00002.safetensors", "a", "b");
        write("model-00002-of-00002.safetensors", "c", "unlisted");
        Path index = folder.resolve(SafetensorsIndex.FILE_NAME);
        new SafetensorsIndex(
                        Map.of(
                                "a", "model-00001-of-00002.safetensors",
                                "b", "model-00001-of-00002.safetensors",
                                "c", "model-00002-of-00002.safetensors"),
                        12)
                .write(index);
        Safetensors read = Safetensors.open(folder);
        assertThat(read.tensors().keySet()).containsExactly("a", "b", "c");
        assertThat(read.files()).hasSize(2);
        assertThat(SafetensorsIndex.read(index).totalSize()).isEqualTo(12);

        new SafetensorsIndex(Map.of("c", "model-00001-of-00002.safetensors"), 0).write(index);
        assertThatThrownBy(() -> Safetensors.open(folder))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining("'c' in model-00001-of-00002.safetensors");
        new SafetensorsIndex(Map.of("a", "model-00003.safetensors", "b", "model-00004.safetensors"), 0).write(index);
        assertThatThrownBy(() -> Safetensors.open(folder))
                .hasMessageContaining("missing: model-00003.safetensors, model-00004.safetensors");
        new SafetensorsIndex(Map.of("a", "../secret"), 0).write(index);
        assertThatThrownBy(() -> Safetensors.open(folder)).hasMessageContaining("same folder");
        Files.writeString(index, "{\"weight_map\": [1]}");
        assertThatThrownBy(() -> Safetensors.open(folder)).hasMessageContaining("no valid index");
        Files.writeString(index, "{}");
        assertThatThrownBy(() -> Safetensors.open(folder)).hasMessageContaining("no weight_map");
    }

    @Test
    void foldersWithoutSafetensorsSayWhatTheyHave() throws IOException {
        Files.createFile(folder.resolve("pytorch_model.bin"));
        assertThatThrownBy(() -> Safetensors.open(folder))
                .hasMessageContaining("it has pytorch_model.bin: save it again from PyTorch");
        assertThatThrownBy(() -> Safetensors.open(folder.resolve("none")))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining("does not exist");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{x | 0 | no valid JSON",
                "[]                                                                 | 0 | no valid JSON",
                "{} {}                                                              | 0 | ",
                "{\"x\":1}                                                          | 0 | no valid JSON",
                "{\"x\":{\"shape\":[1],\"data_offsets\":[0,4]}}                     | 4 | has no dtype",
                "{\"x\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}                 | 4 | has no shape",
                "{\"x\":{\"dtype\":\"F32\",\"shape\":[1]}}                          | 4 | has no data_offsets",
                "{\"x\":{\"dtype\":\"Q4\",\"shape\":[1],\"data_offsets\":[0,4]}}    | 4 | dtype 'Q4', known are",
                "{\"x\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}  | 4 | -1 in",
                "{\"x\":{\"dtype\":\"F32\",\"shape\":[\"1\"],\"data_offsets\":[0,4]}} | 4 | STRING in",
                "{\"x\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}} | 4 | 1.5 in",
                "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}   | 4 | must be a begin and an end",
                "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}     | 4 | must be a begin and an end",
                "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,1,2]}} | 4 | more than 2 numbers",
                "{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}   | 4 | 4 bytes by its data_offsets",
                "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}   | 3 | cut off",
                "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}   | 5 | has 5 bytes of data",
                "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}   | 8 | begins at 4",
                "{\"x\":{\"dtype\":\"F4\",\"shape\":[1],\"data_offsets\":[0,1]}}    | 1 | whole byte",
                "{\"__metadata__\":{\"a\":1}}                                       | 0 | must be a string",
                "{\"x\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,4]}} | 4 | any file holds"
            })
    void damageIsDescribed(String header, int bytes, String message) throws IOException {
        Path file = raw(header, bytes);
        assertThatThrownBy(() -> Safetensors.open(file))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(message == null ? "header" : message);
    }

    @Test
    void doubledTensorsAreRefused() throws IOException {
        String x = "\"x\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}";
        Path file = raw("{" + x + "," + x + "}", 0);
        // Gson itself refuses doubled names in some versions; either message names the tensor.
        assertThatThrownBy(() -> Safetensors.open(file))
                .isInstanceOf(SafetensorsException.class)
                .hasMessageContaining("x");
    }

    @Test
    void tinyAndForeignFilesAreRefused() throws IOException {
        Path file = folder.resolve("bad.safetensors");
        Files.write(file, new byte[7]);
        assertThatThrownBy(() -> Safetensors.open(file)).hasMessageContaining("has 7 bytes");
        Files.write(file, new byte[0]);
        assertThatThrownBy(() -> Safetensors.open(file)).hasMessageContaining("has 0 bytes");
        Files.writeString(file, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
        assertThatThrownBy(() -> Safetensors.open(file)).hasMessageContaining("git lfs pull");
        Files.write(file, little(16).putLong(1 << 20).array());
        assertThatThrownBy(() -> Safetensors.open(file)).hasMessageContaining("cut off");
    }

    @Test
    void anUnfinishedFileLeavesNothing() throws IOException {
        List<SafetensorsEntry> entries = List.of(new SafetensorsEntry("a", SafetensorsType.F32, List.of(2L)));
        try (SafetensorsWriter writer = SafetensorsWriter.create(folder.resolve("x"), Map.of(), entries)) {
            writer.write(little(4).putFloat(1).flip());
            assertThatThrownBy(writer::finish)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("'a' has 4 of its 8 bytes");
            assertThatThrownBy(() -> writer.write(ByteBuffer.allocate(5)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("room for 4");
        }
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).isEmpty();
        }
    }

    private void write(String name, String... tensors) throws IOException {
        List<SafetensorsEntry> entries = Stream.of(tensors)
                .map(tensor -> new SafetensorsEntry(tensor, SafetensorsType.F32, List.of(1L)))
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(folder.resolve(name), Map.of(), entries)) {
            for (int i = 0; i < tensors.length; i++) {
                writer.write(little(4).putFloat(i).flip());
            }
            writer.finish();
        }
    }

    private Path raw(String header, int bytes) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        Path file = folder.resolve("raw.safetensors");
        Files.write(
                file,
                little(8 + json.length + bytes).putLong(json.length).put(json).array());
        return file;
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
