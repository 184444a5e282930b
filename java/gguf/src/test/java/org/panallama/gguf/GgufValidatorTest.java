package org.panallama.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.panallama.gguf.GgufFinding.Severity;
import org.panallama.tiny.TinyModel;

class GgufValidatorTest {

    private static final int F32 = GgmlType.F32.id();

    @TempDir
    private Path folder;

    static Stream<Arguments> foreignFiles() {
        return Stream.of(
                Arguments.of("", "the file is empty"),
                Arguments.of("PK\003\004....", "a ZIP archive"),
                Arguments.of("\u0080\u0002}q", "a Python pickle"),
                Arguments.of("\u0010\0\0\0\0\0\0\0{\"a\":1}", "a safetensors file"),
                Arguments.of("version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
                Arguments.of("\n<!DOCTYPE html><html>", "a web page"),
                Arguments.of("tjgg\1\0\0\0", "before August 2023"),
                Arguments.of("\u001f\u008b\b", "a compressed file"),
                Arguments.of("{\"model\": 1}", "JSON"),
                Arguments.of("\0\0\0\0\0\0\0\0", "begins with zeros"),
                Arguments.of("ABCDEF", "41 42 43 44"),
                Arguments.of("GG", "47 47"));
    }

    @ParameterizedTest
    @MethodSource("foreignFiles")
    void foreignFilesAreNamed(String content, String message) throws IOException {
        refused(content.getBytes(StandardCharsets.ISO_8859_1), 0, message);
    }

    static Stream<Arguments> damagedHeaders() {
        return Stream.of(
                Arguments.of(header(1, 0, 0, h -> {}), 4, "GGUF version 1"),
                Arguments.of(header(4, 0, 0, h -> {}), 4, "GGUF version 4"),
                Arguments.of(header(0, 0, 0, h -> {}), 4, "GGUF version 0"),
                Arguments.of(header(3, 1L << 60, 0, h -> {}), 8, "1152921504606846976 tensors"),
                Arguments.of(header(3, 0, -1, h -> {}), 16, "18446744073709551615 metadata keys"),
                Arguments.of(header(3, 0, 1, h -> {}), 24, "cut off in metadata key 1 of 1"),
                Arguments.of(header(3, 0, 1, h -> h.u64(1L << 40)), 24, "a string of 1099511627776 bytes"),
                Arguments.of(header(3, 0, 1, h -> h.key("", GgufType.UINT8).raw(0)), 24, "an empty name"),
                Arguments.of(header(3, 0, 1, h -> h.key("a\0", GgufType.UINT8).raw(0)), 24, "a NUL byte"),
                Arguments.of(header(3, 0, 1, h -> h.u64(1).raw(0xFF).u32(0).raw(0)), 24, "not valid UTF-8"),
                Arguments.of(header(3, 0, 1, h -> h.text("a").u32(13)), 33, "unknown type 13"),
                Arguments.of(
                        header(3, 0, 1, h -> h.key("a", GgufType.ARRAY).u32(14).u64(0)), 33, "elements of the unknown"),
                Arguments.of(
                        header(3, 0, 1, h -> h.key("a", GgufType.ARRAY).u32(9).u64(0)), 33, "an array of arrays"),
                Arguments.of(
                        header(3, 0, 1, h -> h.key("a", GgufType.ARRAY).u32(4).u64(1L << 61)),
                        33,
                        "an array of 2305843009213693952 UINT32, but only 0 bytes follow"),
                Arguments.of(
                        header(
                                3,
                                0,
                                1,
                                h -> h.key("a", GgufType.ARRAY).u32(8).u64(1).u64(77)),
                        49,
                        "element 0, claims a string of 77 bytes"),
                Arguments.of(
                        header(3, 0, 1, h -> h.key("a", GgufType.UINT64).u32(0)), 41, "the value of metadata key 'a'"),
                Arguments.of(header(3, 0, 1, h -> h.key("a", GgufType.BOOL).raw(2)), 33, "a BOOL of 2"),
                Arguments.of(
                        header(
                                3,
                                0,
                                2,
                                h -> h.key("a", GgufType.INT8)
                                        .raw(1)
                                        .key("a", GgufType.INT8)
                                        .raw(1)),
                        38,
                        "'a' appears twice"),
                Arguments.of(alignment(GgufType.UINT32, 48), 24, "general.alignment is 48"),
                Arguments.of(alignment(GgufType.INT32, 32), 24, "must be of type UINT32, not INT32"),
                Arguments.of(tensor(h -> h.tensor("t", F32, 0, 1, 1, 1, 1, 1)), 24, "claims 5 dimensions"),
                Arguments.of(tensor(h -> h.tensor("t", F32, 0, 0)), 24, "at least 1"),
                Arguments.of(tensor(h -> h.tensor("t", F32, 0, -1)), 24, "at least 1"),
                Arguments.of(
                        tensor(h -> h.tensor("t", F32, 0, 1L << 40, 1L << 40)), 24, "more bytes than can be counted"),
                Arguments.of(tensor(h -> h.tensor("t", 43, 0, 1)), 24, "unknown tensor type 43"),
                Arguments.of(tensor(h -> h.tensor("t", 4, 0, 32)), 24, "Q4_2) was removed"),
                Arguments.of(tensor(h -> h.tensor("t", 31, 0, 32)), 24, "a repacked Q4_0"),
                Arguments.of(tensor(h -> h.tensor("t", GgmlType.Q4_K.id(), 0, 32)), 24, "rows of 32 elements"),
                Arguments.of(tensor(h -> h.tensor("t", F32, 8, 1)), 24, "not a multiple of the alignment 32"),
                Arguments.of(tensor(h -> h.tensor("", F32, 0, 1)), 24, "an empty name"),
                Arguments.of(tensor(h -> h.u64(70_000).raw(new int[60])), 24, "but only 60"),
                Arguments.of(tensor(h -> h.text("t").u32(1)), 37, "the list of tensors (0 of 1 are complete)"));
    }

    @ParameterizedTest
    @MethodSource("damagedHeaders")
    void damageIsFoundWhereItIs(byte[] file, long offset, String message) throws IOException {
        refused(file, offset, message);
    }

    private void refused(byte[] content, long offset, String message) throws IOException {
        Path path = Files.write(folder.resolve("model.gguf"), content);
        assertThatThrownBy(() -> GgufFile.open(path))
                .isInstanceOfSatisfying(GgufException.class, e -> {
                    assertThat(e.problem()).contains(message);
                    assertThat(e.offset()).isEqualTo(offset);
                    assertThat(e.file()).isEqualTo(path);
                })
                .hasMessageContaining("(at byte " + offset + ")");
        assertThat(GgufValidator.check(path))
                .anySatisfy(finding -> assertThat(finding.message()).contains(message));
    }

    @Test
    void allDamageIsCollected() throws IOException {
        byte[] content = header(
                3,
                5,
                3,
                h -> h.key("flag", GgufType.BOOL)
                        .raw(7)
                        .key("flag", GgufType.BOOL)
                        .raw(1)
                        .key("text", GgufType.STRING)
                        .u64(1)
                        .raw(0xC0)
                        .tensor("a", F32, 0, 8)
                        .tensor("a", F32, 33, 8)
                        .tensor("n".repeat(64), F32, 96, 8)
                        .tensor("q", 5, 128, 32)
                        .tensor("far", F32, 1 << 20, 8)
                        .pad());
        Path path = Files.write(folder.resolve("model.gguf"), content);

        assertThat(GgufValidator.check(path))
                .extracting(
                        finding -> finding.severity() + " " + finding.message().split(" ")[0])
                .contains("SUSPICIOUS the", "UNLOADABLE the");
        assertThat(GgufValidator.check(path).toString())
                .contains(
                        "a BOOL of 7",
                        "'flag' appears twice",
                        "'text' is not valid UTF-8",
                        "tensor 'a' appears twice",
                        "offset 33 of the data section",
                        "takes 64 bytes, llama.cpp has room for 63",
                        "Q4_3) was removed",
                        "cut off in its tensor data: 'a' needs 32 bytes");
    }

    @Test
    void whatLlamaCppRefusesIsReadButTold() throws IOException {
        GgufTensor a = GgufTensor.of("a", GgmlType.F32, List.of(8L));
        GgufTensor b = GgufTensor.of("b", GgmlType.F32, List.of(8L));
        byte[] header = HeaderBytes.of(List.of(a, b), List.of(32L, 0L));
        Path path = Files.write(folder.resolve("model.gguf"), Arrays.copyOf(header, header.length + 64));

        assertThat(GgufFile.open(path).offset(b)).isEqualTo(header.length);
        assertThat(GgufValidator.check(path))
                .singleElement()
                .satisfies(finding -> assertThat(finding.severity()).isEqualTo(Severity.UNLOADABLE))
                .satisfies(finding -> assertThat(finding.message()).contains("llama.cpp wants it at 0"));
    }

    @Test
    void overlapsAndTrailingBytesAreFound() throws IOException {
        GgufTensor a = GgufTensor.of("a", GgmlType.F32, List.of(16L));
        GgufTensor b = GgufTensor.of("b", GgmlType.F32, List.of(8L));
        byte[] header = HeaderBytes.of(List.of(a, b), List.of(0L, 32L));
        Path path = Files.write(folder.resolve("model.gguf"), Arrays.copyOf(header, header.length + 64));
        assertThat(GgufValidator.check(path).toString()).contains("overlaps that of tensor 'a'");

        Path tail = folder.resolve("tail.gguf");
        Files.copy(TinyModel.path(), tail);
        Files.write(tail, new byte[5], StandardOpenOption.APPEND);
        assertThat(GgufValidator.check(tail))
                .containsExactly(new GgufFinding(
                        Severity.SUSPICIOUS, Files.size(tail) - 5, "5 bytes follow behind the last tensor's data"));
    }

    @Test
    void aTruncatedModelIsDamagedWhereverItEnds() throws IOException {
        byte[] model = Files.readAllBytes(TinyModel.path());
        long data = GgufFile.open(TinyModel.path()).dataOffset();
        for (long size : new long[] {3, 5, 23, 24, 100, 5000, data / 2, data - 1, data, data + 1, model.length - 1}) {
            Path path = Files.write(folder.resolve("model.gguf"), Arrays.copyOf(model, (int) size));
            assertThatThrownBy(() -> GgufFile.open(path))
                    .as("of %d bytes", size)
                    .isInstanceOf(GgufException.class);
            assertThat(GgufValidator.check(path)).isNotEmpty();
        }
    }

    @Test
    void bothByteOrdersAreRead() throws IOException {
        HeaderBytes header = new HeaderBytes(ByteOrder.BIG_ENDIAN)
                .raw("GGUF")
                .u32(3)
                .u64(1)
                .u64(2)
                .key("n", GgufType.ARRAY)
                .u32(GgufType.INT16.ordinal())
                .u64(2)
                .raw(0, 1, 255, 254)
                .key("t", GgufType.STRING)
                .text("你")
                .tensor("w", F32, 0, 8)
                .pad();
        byte[] content = Arrays.copyOf(header.bytes(), header.bytes().length + 32);
        ByteBuffer.wrap(content).putFloat(header.bytes().length, 1.5f);
        Path path = Files.write(folder.resolve("model.gguf"), content);
        GgufFile file = GgufFile.open(path);
        assertThat(file.order()).isEqualTo(ByteOrder.BIG_ENDIAN);
        assertThat(file.metadata().get("n").ints()).containsExactly(1, -2);
        assertThat(file.string("t")).hasValue("你");
        assertThat(file.map(file.tensors().get(0)).getFloat()).isEqualTo(1.5f);
        assertThat(GgufValidator.check(path)).isEmpty();
    }

    static Stream<Arguments> scales() {
        return Stream.of(
                Arguments.of(GgmlType.F32, 0, 0x7FC00000),
                Arguments.of(GgmlType.F16, 0, 0x7C00),
                Arguments.of(GgmlType.BF16, 0, 0x7F80),
                Arguments.of(GgmlType.Q8_0, 0, 0xFC00),
                Arguments.of(GgmlType.Q4_1, 2, 0x7E00),
                Arguments.of(GgmlType.Q2_K, 82, 0x7E00),
                Arguments.of(GgmlType.Q3_K, 108, 0x7E00),
                Arguments.of(GgmlType.Q4_K, 2, 0x7E00),
                Arguments.of(GgmlType.Q6_K, 208, 0x7E00),
                Arguments.of(GgmlType.IQ1_M, 52, 0xF000C000),
                Arguments.of(GgmlType.TQ1_0, 52, 0x7E00),
                Arguments.of(GgmlType.TQ2_0, 64, 0x7E00),
                Arguments.of(GgmlType.MXFP4, 0, 0xFF));
    }

    /** One block of three gets a number that is not finite. */
    @ParameterizedTest
    @MethodSource("scales")
    void numbersThatAreNotFiniteAreFound(GgmlType type, int at, int bits) throws IOException {
        GgufTensor tensor = GgufTensor.of("w", type, List.of(3L * type.blockSize()));
        Path path = folder.resolve("model.gguf");
        try (GgufWriter writer = GgufWriter.create(path, Map.of(), List.of(tensor))) {
            writer.write(ByteBuffer.allocate((int) tensor.bytes()));
            writer.finish();
        }
        assertThat(GgufValidator.checkWithData(path, done -> true)).isEmpty();
        long block = GgufFile.open(path).offset(tensor) + type.typeSize();
        int width = type == GgmlType.F32 || type == GgmlType.IQ1_M ? 4 : type == GgmlType.MXFP4 ? 1 : 2;
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.seek(block + at);
            for (int i = 0; i < width; i++) {
                file.write(bits >> 8 * i);
            }
        }
        String unit = type.isQuantized() ? "block" : "element";
        assertThat(GgufValidator.checkWithData(path, done -> true))
                .singleElement()
                .satisfies(finding -> assertThat(finding.offset()).isEqualTo(block))
                .satisfies(finding -> assertThat(finding.message())
                        .contains("tensor 'w' (" + type + "): 1 of 3 " + unit, "the first is " + unit + " 1"));
    }

    private static byte[] header(int version, long tensors, long keys, Consumer<HeaderBytes> rest) {
        HeaderBytes header = new HeaderBytes(ByteOrder.LITTLE_ENDIAN)
                .raw("GGUF")
                .u32(version)
                .u64(tensors)
                .u64(keys);
        rest.accept(header);
        return header.bytes();
    }

    private static byte[] tensor(Consumer<HeaderBytes> line) {
        return header(3, 1, 0, line);
    }

    private static byte[] alignment(GgufType type, int value) {
        return header(3, 0, 1, h -> h.key("general.alignment", type).u32(value));
    }
}
