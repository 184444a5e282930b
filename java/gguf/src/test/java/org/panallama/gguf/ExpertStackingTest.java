package org.panallama.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.tiny.TinyModel;

class ExpertStackingTest {

    @TempDir
    private Path folder;

    @Test
    void stackingUndoesUnstackingByteForByte() throws IOException {
        Path old = folder.resolve("old.gguf");
        OldExperts.unstack(GgufFile.open(TinyModel.path()), old);
        GgufModel model = GgufModel.open(old);
        assertThat(model.tensors()).extracting(GgufTensor::name).contains("blk.0.ffn_gate.0.weight");

        ExpertStacking stacking = ExpertStacking.of(model);
        assertThat(stacking.stacked()).hasSize(18);
        Path stacked = folder.resolve("stacked.gguf");
        stacking.write(stacked, done -> true);
        assertThat(Files.mismatch(stacked, TinyModel.path())).isEqualTo(-1);
        assertThat(ExpertStacking.of(GgufModel.open(stacked)).stacked()).isEmpty();
    }

    @Test
    void quantizedExpertsAreStacked() throws IOException {
        Path old = write(GgmlType.Q4_K, GgmlType.Q4_K);
        Path stacked = folder.resolve("stacked.gguf");
        ExpertStacking.of(GgufModel.open(old)).write(stacked, done -> true);
        GgufFile file = GgufFile.open(stacked);
        GgufTensor tensor = file.tensor("blk.0.ffn_up_exps.weight").orElseThrow();
        assertThat(tensor).isEqualTo(GgufTensor.of(tensor.name(), GgmlType.Q4_K, List.of(256L, 2L, 2L)));
        assertThat(file.map(tensor).get(0)).isEqualTo((byte) 1);
        assertThat(file.map(tensor).get((int) tensor.bytes() - 1)).isEqualTo((byte) 2);
    }

    @Test
    void expertsThatDoNotFitAreNamed() throws IOException {
        Path mixed = write(GgmlType.Q4_K, GgmlType.Q6_K);
        assertThatThrownBy(() -> ExpertStacking.of(GgufModel.open(mixed)))
                .isInstanceOf(GgufException.class)
                .hasMessageContaining("'blk.0.ffn_up.1.weight' has type Q6_K");
        Path missing = write(GgmlType.Q4_K);
        assertThatThrownBy(() -> ExpertStacking.of(GgufModel.open(missing)))
                .isInstanceOf(GgufException.class)
                .hasMessageContaining("expert 1 is missing, of 2");
    }

    /** Two experts are declared; the bytes of expert E are E + 1. */
    private Path write(GgmlType... types) throws IOException {
        Path path = folder.resolve("old.gguf");
        List<GgufTensor> tensors = new ArrayList<>();
        for (int i = 0; i < types.length; i++) {
            tensors.add(GgufTensor.of("blk.0.ffn_up." + i + ".weight", types[i], List.of(256L, 2L)));
        }
        Map<String, GgufValue> metadata =
                Map.of("general.architecture", GgufValue.string("llama"), "llama.expert_count", GgufValue.uint32(2));
        try (GgufWriter writer = GgufWriter.create(path, metadata, tensors)) {
            for (int i = 0; i < types.length; i++) {
                byte[] data = new byte[(int) tensors.get(i).bytes()];
                Arrays.fill(data, (byte) (i + 1));
                writer.write(ByteBuffer.wrap(data));
            }
            writer.finish();
        }
        return path;
    }
}
