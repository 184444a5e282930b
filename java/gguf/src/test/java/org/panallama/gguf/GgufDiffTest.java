package org.panallama.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.gguf.GgufDiff.Difference;
import org.panallama.gguf.GgufDiff.Kind;
import org.panallama.tiny.TinyModel;

class GgufDiffTest {

    @TempDir
    private Path folder;

    @Test
    void aModelEqualsItself() throws IOException {
        GgufModel model = GgufModel.open(TinyModel.path());
        assertThat(GgufDiff.compare(model, model, done -> true)).isEmpty();
    }

    @Test
    void everyKindOfDifferenceIsFound() throws IOException {
        GgufFile file = GgufFile.open(TinyModel.path());
        GgufTensor norm = file.tensor("output_norm.weight").orElseThrow();
        GgufTensor head = file.tensor("output.weight").orElseThrow();
        Path other = folder.resolve("other.gguf");
        List<String> tokens =
                new ArrayList<>(file.metadata().get("tokenizer.ggml.tokens").strings());
        tokens.set(77, "changed");
        GgufEditor.of(file)
                .set("added", GgufValue.bool(true))
                .remove("llama.block_count")
                .set("general.name", GgufValue.string("other"))
                .set("tokenizer.ggml.tokens", GgufValue.strings(tokens))
                .renameTensor("token_embd.weight", "embd")
                .replaceTensor(norm.name(), norm, writer -> {
                    ByteBuffer data = ByteBuffer.allocate((int) norm.bytes()).order(ByteOrder.LITTLE_ENDIAN);
                    file.read(norm, 0, data);
                    data.putFloat(8, data.getFloat(8) + 0.5f).putFloat(12, data.getFloat(12) - 0.25f);
                    writer.write(data.flip());
                })
                .replaceTensor(
                        head.name(),
                        GgufTensor.of(head.name(), GgmlType.F32, List.of(2L)),
                        writer -> writer.write(ByteBuffer.allocate(8)))
                .writeTo(other);

        List<Difference> differences =
                GgufDiff.compare(GgufModel.open(TinyModel.path()), GgufModel.open(other), done -> true);
        assertThat(differences)
                .extracting(Difference::kind)
                .containsExactlyInAnyOrder(
                        Kind.KEY_ONLY_IN_FIRST,
                        Kind.KEY_ONLY_IN_SECOND,
                        Kind.VALUE,
                        Kind.VALUE,
                        Kind.TENSOR_ONLY_IN_FIRST,
                        Kind.TENSOR_ONLY_IN_SECOND,
                        Kind.SHAPE,
                        Kind.DATA);
        assertThat(differences.toString())
                .contains(
                        "1 elements differ, the first at 77",
                        "2 of " + norm.elements() + " elements differ, by at most 0.5");
    }

    @Test
    void quantizedDataIsComparedBlockByBlock() throws IOException {
        Path a = write("a.gguf", 0);
        Path b = write("b.gguf", 1);
        assertThat(GgufDiff.compare(GgufModel.open(a), GgufModel.open(b), done -> true))
                .containsExactly(new Difference(Kind.DATA, "w", "1 of 3 blocks differ"));
    }

    private Path write(String name, int value) throws IOException {
        GgufTensor tensor = GgufTensor.of("w", GgmlType.Q8_0, List.of(96L));
        Path path = folder.resolve(name);
        try (GgufWriter writer = GgufWriter.create(path, Map.of(), List.of(tensor))) {
            writer.write(ByteBuffer.allocate((int) tensor.bytes()).put(40, (byte) value));
            writer.finish();
        }
        return path;
    }

    @Test
    void halfPrecisionNumbersAreReadAsTheyAre() {
        assertThat(Numbers.half((short) 0x3C00)).isEqualTo(1f);
        assertThat(Numbers.half((short) 0xC000)).isEqualTo(-2f);
        assertThat(Numbers.half((short) 0x7BFF)).isEqualTo(65504f);
        assertThat(Numbers.half((short) 0x0001)).isEqualTo(0x1p-24f);
        assertThat(Numbers.half((short) 0x03FF)).isEqualTo(1023 * 0x1p-24f);
        assertThat(Numbers.half((short) 0x7C00)).isInfinite();
        assertThat(Numbers.half((short) 0x7E00)).isNaN();
    }

    @Test
    void hashesAreThoseOfTheData() throws IOException, NoSuchAlgorithmException {
        GgufModel model = GgufModel.open(TinyModel.path());
        GgufHash hash = GgufHash.of(model, GgufHash.Algorithm.SHA256, done -> true);
        MessageDigest all = MessageDigest.getInstance("SHA-256");
        for (GgufTensor tensor : model.tensors()) {
            ByteBuffer data = model.file(tensor).map(tensor);
            all.update(data.duplicate());
            MessageDigest one = MessageDigest.getInstance("SHA-256");
            one.update(data);
            assertThat(hash.tensors())
                    .containsEntry(tensor.name(), HexFormat.of().formatHex(one.digest()));
        }
        assertThat(hash.data()).isEqualTo(HexFormat.of().formatHex(all.digest()));

        // The order of the metadata does not matter, its values do.
        GgufFile file = GgufFile.open(TinyModel.path());
        Map<String, GgufValue> reversed = new LinkedHashMap<>();
        List<String> keys = new ArrayList<>(file.metadata().keySet());
        Collections.reverse(keys);
        keys.forEach(key -> reversed.put(key, file.metadata().get(key)));
        Path other = folder.resolve("other.gguf");
        try (GgufWriter writer = GgufWriter.create(other, reversed, file.tensors())) {
            for (GgufTensor tensor : file.tensors()) {
                writer.write(file, tensor);
            }
            writer.finish();
        }
        assertThat(GgufHash.of(GgufModel.open(other), GgufHash.Algorithm.SHA256, done -> true))
                .isEqualTo(hash);
        assertThat(Files.mismatch(other, TinyModel.path())).isPositive();
        GgufEditor.of(GgufFile.open(other))
                .set("general.name", GgufValue.string("x"))
                .save();
        GgufHash renamed = GgufHash.of(GgufModel.open(other), GgufHash.Algorithm.SHA256, done -> true);
        assertThat(renamed.data()).isEqualTo(hash.data());
        assertThat(renamed.metadata()).isNotEqualTo(hash.metadata());
    }
}
