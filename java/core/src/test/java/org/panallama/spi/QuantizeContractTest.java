package org.panallama.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.panallama.spi.BindingUnderTest.BINDING;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.TensorType;
import org.panallama.internal.GgufFile;
import org.panallama.tiny.TinyModel;

/** What every binding must do, against the real library: the parameters of a quantization, and stopping it. */
@Tag("native")
class QuantizeContractTest {

    private static final int Q4_0 = 2;
    private static final int WIDTH = 256;

    @TempDir
    private Path folder;

    @AfterEach
    void restoreLog() {
        BindingUnderTest.restoreLog();
    }

    @Test
    void overridesReachLlama() {
        Path output = folder.resolve("out.gguf");
        assertThat(run(output, false, List.of(metadata("panallama.test", "yes")), new int[] {3}))
                .isZero();
        GgufFile file = GgufFile.read(output);
        assertThat(file.string("panallama.test")).contains("yes");
        assertThat(file.integer("llama.block_count")).hasValue(5);
        assertThat(file.tensor("blk.0.ffn_up_exps.weight").orElseThrow().type()).isEqualTo(TensorType.Q8_0);
        assertThat(file.tensor("blk.0.ffn_down_exps.weight").orElseThrow().type())
                .isEqualTo(TensorType.Q4_0);
        assertThat(file.tensor("blk.5.ffn_up_exps.weight")).isEmpty();
    }

    @Test
    void aDryRunWritesNothing() {
        Path output = folder.resolve("out.gguf");
        List<String> lines = new ArrayList<>();
        BINDING.setLog((level, text) -> lines.add(text));
        assertThat(run(output, true, List.of(), new int[0])).isZero();
        assertThat(output).doesNotExist();
        assertThat(String.join("", lines)).contains("blk.0.ffn_up_exps.weight", "q8_0");
    }

    @Test
    void theImportanceMatrixReachesLlama() {
        String tensor = "blk.0.attn_q.weight";
        String input = TinyModel.path().toString();
        Path output = folder.resolve("out.gguf");
        float[] flat = new float[WIDTH];
        Arrays.fill(flat, 1);
        assertThat(BINDING.modelQuantize(input, output.toString(), withLowBits(tensor)))
                .isNotZero();
        assertThat(BINDING.modelQuantize(input, output.toString(), withLowBits(tensor, flat)))
                .isZero();
        assertThat(GgufFile.read(output).tensor(tensor).orElseThrow().type()).isEqualTo(TensorType.IQ2_XXS);
    }

    /** Parameters for one tensor in a format that needs an importance matrix. */
    private static QuantizeParams withLowBits(String tensor, float[]... importance) {
        return new QuantizeParams(
                Q4_0,
                1,
                -1,
                -1,
                false,
                true,
                false,
                false,
                false,
                false,
                importance.length == 0 ? new String[0] : new String[] {tensor},
                importance,
                List.of(),
                new String[] {tensor},
                new int[] {TensorType.IQ2_XXS.id()},
                new int[0],
                0);
    }

    @Test
    void aRunIsStoppedBetweenTensors() throws Exception {
        Path output = folder.resolve("out.gguf");
        long quantization = BINDING.quantizationNew(params(false, List.of(), new int[0]));
        List<String> converted = new ArrayList<>();
        BINDING.setLog((level, text) -> {
            if (text.contains("converting to")) {
                converted.add(text);
                BINDING.quantizationStop(quantization);
            }
        });
        assertThat(BINDING.quantizationRun(quantization, TinyModel.path().toString(), output.toString()))
                .isZero();
        BINDING.quantizationFree(quantization);
        assertThat(converted).hasSize(1);
        assertThat(Files.size(output)).isLessThan(Files.size(TinyModel.path()) / 4);
        Files.delete(output);
    }

    private static int run(Path output, boolean dryRun, List<MetadataParam> metadata, int[] pruned) {
        return BINDING.modelQuantize(TinyModel.path().toString(), output.toString(), params(dryRun, metadata, pruned));
    }

    /** To Q4_0, but for one kind of tensor. */
    private static QuantizeParams params(boolean dryRun, List<MetadataParam> metadata, int[] pruned) {
        return new QuantizeParams(
                Q4_0,
                1,
                -1,
                -1,
                false,
                true,
                false,
                false,
                false,
                dryRun,
                new String[0],
                new float[0][],
                metadata,
                new String[] {"ffn_up"},
                new int[] {TensorType.Q8_0.id()},
                pruned,
                0);
    }

    private static MetadataParam metadata(String key, String value) {
        return new MetadataParam(key, 3, 0, 0, false, value);
    }
}
