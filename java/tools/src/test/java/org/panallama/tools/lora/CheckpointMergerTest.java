package org.panallama.tools.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.LlamaException;
import org.panallama.tools.Progress;
import org.panallama.tools.convert.ConversionType;
import org.panallama.tools.safetensors.Safetensors;
import org.panallama.tools.safetensors.SafetensorsIndex;
import org.panallama.tools.safetensors.SafetensorsTensor;
import org.panallama.tools.safetensors.SafetensorsType;

class CheckpointMergerTest {

    private static final String Q = "model.layers.1.self_attn.q_proj";
    private static final String K = "model.layers.1.self_attn.k_proj";
    private static final String HEAD = "lm_head.weight";
    private static final String PREFIX = "base_model.model.";

    @TempDir
    Path folder;

    private final Safetensors base = Safetensors.open(Fixture.BASE);
    private final Safetensors adapter = Safetensors.open(Fixture.ADAPTER.resolve("adapter_model.safetensors"));

    private Safetensors merge(MergeOptions options, WeightedAdapter... adapters) {
        Path target = folder.resolve("merged");
        CheckpointMerger.open(Fixture.BASE, List.of(adapters), options).write(target, Progress.NONE);
        return Safetensors.open(target);
    }

    private static MergeOptions single() {
        return MergeOptions.builder().type(ConversionType.F32).threads(2).build();
    }

    @Test
    void whatNoAdapterChangesStaysAsItIs() throws IOException {
        Safetensors merged = merge(MergeOptions.defaults(), WeightedAdapter.of(Fixture.ADAPTER));
        assertThat(merged.tensors().keySet()).isEqualTo(base.tensors().keySet());
        base.tensors().forEach((name, tensor) -> {
            SafetensorsTensor other = merged.require(name);
            assertThat(other.entry()).isEqualTo(tensor.entry());
            assertThat(other.file().getFileName()).isEqualTo(tensor.file().getFileName());
            boolean changed = adapter.find(PREFIX + name) != null
                    || adapter.find(PREFIX + name.replace(".weight", ".lora_A.weight")) != null;
            assertThat(bytes(other).equals(bytes(tensor))).as(name).isEqualTo(!changed);
        });
        for (String name : List.of(HEAD, "model.embed_tokens.weight")) {
            assertThat(bytes(merged.require(name))).isEqualTo(bytes(adapter.require(PREFIX + name)));
        }
        Path target = folder.resolve("merged");
        assertThat(names(target)).isEqualTo(names(Fixture.BASE));
        for (String name : List.of("config.json", "tokenizer.model", "tokenizer_config.json")) {
            assertThat(target.resolve(name)).hasSameBinaryContentAs(Fixture.BASE.resolve(name));
        }
        SafetensorsIndex index = SafetensorsIndex.read(target.resolve(SafetensorsIndex.FILE_NAME));
        assertThat(index).isEqualTo(SafetensorsIndex.read(Fixture.BASE.resolve(SafetensorsIndex.FILE_NAME)));
    }

    private static ByteBuffer bytes(SafetensorsTensor tensor) {
        return tensor.slice(0, (int) tensor.bytes());
    }

    private static Set<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
        }
    }

    @Test
    void severalAdaptersAddUpByTheirWeights() throws IOException {
        Path other = AlteredAdapter.empty(4, 2)
                .set("modules_to_save", "[\"lm_head\"]")
                .random(PREFIX + Q + ".lora_A.weight", 4, 256, 1)
                .random(PREFIX + Q + ".lora_B.weight", 256, 4, 2)
                .random(PREFIX + HEAD, 5120, 256, 3)
                .write(folder.resolve("other"));
        Safetensors second = Safetensors.open(other.resolve("adapter_model.safetensors"));
        Safetensors merged =
                merge(single(), new WeightedAdapter(Fixture.ADAPTER, 0.5f), new WeightedAdapter(other, -2));
        double[] q = floats(base.require(Q + ".weight"));
        add(q, adapter, Q, 0.5 * 4);
        add(q, second, Q, -2 * 0.5);
        assertClose(merged.require(Q + ".weight"), q);
        double[] k = floats(base.require(K + ".weight"));
        add(k, adapter, K, 0.5 * 4);
        assertClose(merged.require(K + ".weight"), k);
        double[] was = floats(base.require(HEAD));
        double[] one = floats(adapter.require(PREFIX + HEAD));
        double[] two = floats(second.require(PREFIX + HEAD));
        double[] head = new double[was.length];
        Arrays.setAll(head, i -> was[i] + 0.5 * (one[i] - was[i]) - 2 * (two[i] - was[i]));
        assertClose(merged.require(HEAD), head);
        assertThat(SafetensorsIndex.read(merged.location()).totalSize()).isEqualTo(merged.bytes());
        assertThat(merged.bytes()).isGreaterThan(base.bytes());
    }

    @Test
    void sumsAreRoundedToTheNearestNumberOfTheBase() {
        SafetensorsTensor exact =
                merge(single(), WeightedAdapter.of(Fixture.ADAPTER)).require(Q + ".weight");
        float[] wanted = exact.floats();
        Path target = folder.resolve("rounded");
        CheckpointMerger.open(Fixture.BASE, List.of(WeightedAdapter.of(Fixture.ADAPTER)), MergeOptions.defaults())
                .write(target, Progress.NONE);
        SafetensorsTensor rounded = Safetensors.open(target).require(Q + ".weight");
        assertThat(rounded.type()).isEqualTo(SafetensorsType.BF16);
        float[] values = rounded.floats();
        for (int i = 0; i < values.length; i++) {
            float below = Float.intBitsToFloat(Float.floatToRawIntBits(wanted[i]) & 0xFFFF_0000);
            float above = Float.intBitsToFloat((Float.floatToRawIntBits(wanted[i]) & 0xFFFF_0000) + 0x1_0000);
            boolean nearerBelow = Math.abs(wanted[i] - below) < Math.abs(above - wanted[i]);
            boolean even = (Float.floatToRawIntBits(below) & 0x1_0000) == 0;
            boolean half = Math.abs(wanted[i] - below) == Math.abs(above - wanted[i]);
            assertThat(values[i]).isEqualTo(half ? even ? below : above : nearerBelow ? below : above);
        }
    }

    private static double[] floats(SafetensorsTensor tensor) {
        float[] floats = tensor.floats();
        double[] doubles = new double[floats.length];
        Arrays.setAll(doubles, i -> floats[i]);
        return doubles;
    }

    /** As it is defined, one number after the other. */
    private static void add(double[] target, Safetensors adapter, String module, double factor) {
        SafetensorsTensor a = adapter.require(PREFIX + module + ".lora_A.weight");
        SafetensorsTensor b = adapter.require(PREFIX + module + ".lora_B.weight");
        float[] right = a.floats();
        float[] left = b.floats();
        int rank = a.shape().get(0).intValue();
        int columns = a.shape().get(1).intValue();
        for (int i = 0; i < target.length; i++) {
            double sum = 0;
            for (int k = 0; k < rank; k++) {
                sum += (double) left[i / columns * rank + k] * right[k * columns + i % columns];
            }
            target[i] += factor * sum;
        }
    }

    private static void assertClose(SafetensorsTensor tensor, double[] expected) {
        float[] values = tensor.floats();
        for (int i = 0; i < values.length; i++) {
            assertThat((double) values[i]).as("%s at %d", tensor.name(), i).isCloseTo(expected[i], within(1e-6));
        }
    }

    /**
     * GPT-2 keeps its matrices so; the architecture is none that can be converted, and its tensors have no common
     * prefix.
     */
    @Test
    void transposedLayersOfAnyArchitectureAreMerged() throws IOException {
        Path gpt = Files.createDirectory(folder.resolve("gpt"));
        AlteredAdapter.empty(1, 1)
                .random("h.0.attn.c_attn.weight", 4, 12, 1)
                .random("h.0.attn.c_proj.weight", 4, 4, 2)
                .random("wte.weight", 10, 4, 3)
                .checkpoint(gpt.resolve("model.safetensors"));
        Path lora = AlteredAdapter.empty(2, 4)
                .set("fan_in_fan_out", "true")
                .random("base_model.model.h.0.attn.c_attn.lora_A.weight", 2, 4, 4)
                .random("base_model.model.h.0.attn.c_attn.lora_B.weight", 12, 2, 5)
                .random("base_model.model.h.0.attn.c_proj.lora_A.weight", 2, 4, 6)
                .random("base_model.model.h.0.attn.c_proj.lora_B.weight", 4, 2, 7)
                .write(folder.resolve("lora"));
        Path target = folder.resolve("out");
        CheckpointMerger.open(gpt, List.of(WeightedAdapter.of(lora)), MergeOptions.defaults())
                .write(target, Progress.NONE);
        Safetensors merged = Safetensors.open(target);
        Safetensors before = Safetensors.open(gpt);
        Safetensors pairs = Safetensors.open(lora.resolve("adapter_model.safetensors"));
        for (String module : List.of("h.0.attn.c_attn", "h.0.attn.c_proj")) {
            double[] sum = new double[(int) before.require(module + ".weight").elements()];
            add(sum, pairs, module, 2);
            int rows = before.require(module + ".weight").shape().get(0).intValue();
            double[] expected = floats(before.require(module + ".weight"));
            int columns = expected.length / rows;
            for (int i = 0; i < expected.length; i++) {
                expected[i] += sum[i % columns * rows + i / columns];
            }
            assertClose(merged.require(module + ".weight"), expected);
        }
        assertThat(names(target)).containsExactly("model.safetensors");
    }

    @Test
    void whatDoesNotFitIsNamed() throws IOException {
        Path strange = AlteredAdapter.ofFixture()
                .random(PREFIX + HEAD, 5000, 256, 1)
                .random(PREFIX + "model.layers.7.mlp.up_proj.lora_A.weight", 8, 256, 1)
                .random(PREFIX + "model.layers.7.mlp.up_proj.lora_B.weight", 256, 8, 1)
                .write(folder.resolve("strange"));
        assertThatThrownBy(() -> merge(MergeOptions.defaults(), WeightedAdapter.of(strange)))
                .isInstanceOf(LoraException.class)
                .hasMessageContaining(
                        "'lm_head.weight' is [5120, 256] in the base, the adapter is made for [5000, 256]")
                .hasMessageContaining("not in the base (1): model.layers.7.mlp.up_proj.weight");
        assertThatThrownBy(() -> merge(MergeOptions.defaults())).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new WeightedAdapter(strange, Float.NaN)).hasMessageContaining("finite");
        assertThatThrownBy(() -> MergeOptions.builder().threads(0)).hasMessageContaining("from 1 to 512");
    }

    @Test
    void nothingIsLeftHalfWritten() throws IOException {
        CheckpointMerger merger = CheckpointMerger.open(
                Fixture.BASE, List.of(WeightedAdapter.of(Fixture.ADAPTER)), MergeOptions.defaults());
        assertThatThrownBy(() -> merger.write(folder.resolve("merged"), done -> done < 0.9))
                .isInstanceOf(CancellationException.class);
        assertThat(names(folder)).isEmpty();
        Path full = Files.createDirectory(folder.resolve("full"));
        Files.writeString(full.resolve("precious"), "!");
        assertThatThrownBy(() -> merger.write(full, Progress.NONE))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("not empty");
        assertThatThrownBy(() -> merger.write(folder.resolve("no/where"), Progress.NONE))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("does not exist");
        assertThat(names(folder)).containsExactly("full");
        assertThat(names(full)).containsExactly("precious");
    }
}
