package org.panallama.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.tiny.TinyModel;

class GgufEditorTest {

    @TempDir
    private Path folder;

    private Path model;

    @BeforeEach
    void copyTheModel() throws IOException {
        model = Files.copy(TinyModel.path(), folder.resolve("model.gguf"));
    }

    @Test
    void readingAndWritingChangesNoByte() throws IOException {
        Path copy = folder.resolve("copy.gguf");
        GgufEditor.of(GgufFile.open(model)).writeTo(copy);
        assertThat(Files.mismatch(model, copy)).isEqualTo(-1);

        // The writer by itself, too.
        GgufFile file = GgufFile.open(model);
        try (GgufWriter writer = GgufWriter.create(copy, file.format(), file.metadata(), file.tensors())) {
            for (GgufTensor tensor : file.tensors()) {
                writer.write(file, tensor);
            }
            writer.finish();
        }
        assertThat(Files.mismatch(model, copy)).isEqualTo(-1);
    }

    /** Data in another order than the list, with a gap and bytes behind it; every type of value. */
    @Test
    void whateverStandsInThePaddingStays() throws IOException {
        byte[] bytes = Files.readAllBytes(model);
        int padding = (int) GgufFile.open(model).headerEnd();
        assertThat(padding).isLessThan((int) GgufFile.open(model).dataOffset());
        bytes[padding] = 1;
        Files.write(model, bytes);
        Path copy = folder.resolve("copy.gguf");
        GgufEditor.of(GgufFile.open(model)).writeTo(copy);
        assertThat(copy).hasBinaryContent(bytes);
    }

    @Test
    void unusualFilesStayAsTheyAre() throws IOException {
        for (GgufFormat format : List.of(
                GgufFormat.CURRENT,
                new GgufFormat(2, ByteOrder.LITTLE_ENDIAN),
                new GgufFormat(3, ByteOrder.BIG_ENDIAN))) {
            List<GgufTensor> tensors = List.of(
                    GgufTensor.of("z", GgmlType.F32, List.of(3L)),
                    GgufTensor.of("a", GgmlType.Q8_0, List.of(32L)),
                    GgufTensor.of("scalar", GgmlType.F32, List.of()));
            Map<String, GgufValue> metadata = everyType();
            byte[] header = Header.encode(format, metadata, tensors, new long[] {192, 0, 64});
            byte[] bytes = Arrays.copyOf(header, (header.length + 63 & -64) + 192 + 12 + 7);
            for (int i = header.length + 63 & -64; i < bytes.length; i++) {
                bytes[i] = (byte) i;
            }
            Path path = Files.write(folder.resolve("unusual.gguf"), bytes);
            GgufFile file = GgufFile.open(path);
            assertThat(file.format()).isEqualTo(format);
            assertThat(file.metadata()).isEqualTo(metadata);
            assertThat(List.copyOf(file.metadata().keySet())).isEqualTo(List.copyOf(metadata.keySet()));
            Path copy = folder.resolve("copy.gguf");
            GgufEditor.of(file).writeTo(copy);
            assertThat(copy).hasBinaryContent(bytes);
            // There and back with a header of another length.
            GgufEditor.of(file).set("more", GgufValue.bool(true)).writeTo(copy);
            assertThat(GgufEditor.of(GgufFile.open(copy)).remove("more").save()).isFalse();
            assertThat(copy).hasBinaryContent(bytes);
        }
    }

    private static Map<String, GgufValue> everyType() {
        Map<String, GgufValue> values = new LinkedHashMap<>();
        for (GgufType type : GgufType.values()) {
            if (type.isInteger()) {
                long largest = type.bytes() == 8 ? -2 : (1L << 8 * type.bytes() - 1) - 1;
                values.put(type.name(), GgufValue.integer(type, largest));
                values.put(type.name() + "s", GgufValue.integers(type, 1, 2, largest));
            }
        }
        values.put("f32", GgufValue.float32(1.5f));
        values.put("f64s", GgufValue.float64s(0.1, Double.NaN));
        values.put("f32s", GgufValue.float32s(1, 2));
        values.put("f64", GgufValue.float64(-0.0));
        values.put("bools", GgufValue.bools(true, false));
        values.put("text", GgufValue.string("你好"));
        values.put("texts", GgufValue.strings(List.of("", "a", "你")));
        values.put("none", GgufValue.strings(List.of()));
        values.put("general.alignment", GgufValue.uint32(64));
        return values;
    }

    @Test
    void aScalarIsChangedInPlace() throws IOException {
        byte[] before = Files.readAllBytes(model);
        boolean inPlace = GgufEditor.of(GgufFile.open(model))
                .set("llama.context_length", GgufValue.uint32(1234))
                .save();
        assertThat(inPlace).isTrue();
        byte[] after = Files.readAllBytes(model);
        long different = 0;
        for (int i = 0; i < before.length; i++) {
            different += before[i] == after[i] ? 0 : 1;
        }
        assertThat(different).isBetween(1L, 4L);
        assertThat(GgufFile.open(model).integer("llama.context_length")).hasValue(1234);
    }

    @Test
    void metadataAndNamesChangeAndTheDataStays() throws IOException {
        GgufFile before = GgufFile.open(model);
        List<Double> reports = new ArrayList<>();
        GgufEditor.of(before)
                .set("general.name", GgufValue.string("a much longer name than before"))
                .rename("general.architecture", "general.arch")
                .remove("llama.context_length")
                .renameTensor("output.weight", "head.weight")
                .progress(reports::add)
                .writeTo(folder.resolve("edited.gguf"));
        GgufFile after = GgufFile.open(folder.resolve("edited.gguf"));
        assertThat(after.string("general.name")).hasValue("a much longer name than before");
        assertThat(List.copyOf(after.metadata().keySet()).indexOf("general.arch"))
                .isEqualTo(List.copyOf(before.metadata().keySet()).indexOf("general.architecture"));
        assertThat(after.metadata()).doesNotContainKey("llama.context_length");
        GgufTensor head = after.tensor("head.weight").orElseThrow();
        assertThat(after.map(head))
                .isEqualTo(before.map(before.tensor("output.weight").orElseThrow()));
        assertThat(reports).isSorted().startsWith(0.0).endsWith(1.0).hasSizeLessThan(400);
    }

    @Test
    void tensorsAreDroppedAndReplaced() throws IOException {
        GgufFile before = GgufFile.open(model);
        GgufTensor norm = GgufTensor.of("output_norm.weight", GgmlType.F16, List.of(8L));
        GgufEditor.of(before)
                .dropTensor("output.weight")
                .replaceTensor("output_norm.weight", norm, writer -> writer.write(ByteBuffer.allocate(16)))
                .writeTo(model);
        GgufFile after = GgufFile.open(model);
        assertThat(GgufValidator.check(model)).isEmpty();
        assertThat(after.tensors()).hasSize(before.tensors().size() - 1).contains(norm);
        GgufFile original = GgufFile.open(TinyModel.path());
        for (GgufTensor tensor : after.tensors()) {
            if (!tensor.equals(norm)) {
                assertThat(after.map(tensor)).isEqualTo(original.map(tensor));
            }
        }
    }

    @Test
    void cancellingLeavesEverythingAsItWas() throws IOException {
        GgufEditor editor = GgufEditor.of(GgufFile.open(model))
                .set("general.name", GgufValue.string("another"))
                .progress(done -> done < 0.5);
        assertThatThrownBy(editor::save).isInstanceOf(CancellationException.class);
        assertThat(Files.mismatch(model, TinyModel.path())).isEqualTo(-1);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactly(model);
        }
    }

    @Test
    void whatIsNotThereIsNamed() throws IOException {
        GgufEditor editor = GgufEditor.of(GgufFile.open(model));
        assertThatThrownBy(() -> editor.remove("none")).hasMessageContaining("no metadata key 'none'");
        assertThatThrownBy(() -> editor.dropTensor("none")).hasMessageContaining("no tensor 'none'");
        assertThatThrownBy(() -> editor.renameTensor("output.weight", "token_embd.weight"))
                .hasMessageContaining("already has a tensor 'token_embd.weight'");
        assertThatThrownBy(() -> editor.replaceTensor(
                                "output.weight",
                                GgufTensor.of("output.weight", GgmlType.F32, List.of(4L)),
                                writer -> writer.write(ByteBuffer.allocate(8)))
                        .writeTo(folder.resolve("x.gguf")))
                .hasMessageContaining("'output.weight' did not give its 16 bytes");
    }
}
