package org.panallama.tools.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.LlamaException;
import org.panallama.gguf.GgufEditor;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufTensor;
import org.panallama.gguf.GgufValue;
import org.panallama.internal.NativeRuntime;
import org.panallama.spi.QuantizeParams;
import org.panallama.tools.Progress;
import org.panallama.tools.convert.ConversionOptions;
import org.panallama.tools.convert.ConversionType;
import org.panallama.tools.convert.ModelRun;

class GgufMergerTest {

    private static final int Q4_0 = 2;
    private static final int[] TOKENS = {1, 17, 902, 4001, 77};

    @TempDir
    Path folder;

    private Path base;
    private Path adapter;

    @BeforeEach
    void convert() {
        base = Fixture.converted(Fixture.BASE, ConversionType.F32, folder.resolve("base.gguf"));
        adapter = Fixture.convertedAdapter(Fixture.ADAPTER, Fixture.BASE, folder.resolve("lora.gguf"));
    }

    private Path merge(WeightedAdapter... adapters) {
        Path merged = folder.resolve("merged.gguf");
        GgufMerger.open(
                        base,
                        List.of(adapters),
                        MergeOptions.builder().threads(3).build())
                .write(merged, Progress.NONE);
        return merged;
    }

    @Test
    void severalAdaptersAddUpByTheirWeights() throws IOException {
        Path other = AlteredAdapter.empty(4, 8)
                .random("base_model.model.model.layers.1.self_attn.q_proj.lora_A.weight", 4, 256, 1)
                .random("base_model.model.model.layers.1.self_attn.q_proj.lora_B.weight", 256, 4, 2)
                .write(folder.resolve("other"));
        Path converted = Fixture.convertedAdapter(other, base, folder.resolve("other.gguf"));
        float[][] expected = ModelRun.logits(base, Map.of(adapter, 0.75f, converted, -1.5f), TOKENS);
        for (Path first : List.of(adapter, Fixture.ADAPTER)) {
            float[][] logits = ModelRun.logits(
                    merge(new WeightedAdapter(first, 0.75f), new WeightedAdapter(other, -1.5f)), TOKENS);
            for (int i = 0; i < TOKENS.length; i++) {
                assertThat(logits[i]).containsExactly(expected[i], within(2e-3f));
            }
        }
    }

    @Test
    void baseAndAdaptersAreNotOverwritten() {
        GgufMerger merger = GgufMerger.open(base, List.of(WeightedAdapter.of(adapter)), MergeOptions.defaults());
        for (Path input : List.of(base, adapter)) {
            assertThatThrownBy(() -> merger.write(input, Progress.NONE))
                    .isInstanceOf(LlamaException.class)
                    .hasMessageContaining(input + ": it is one of the files that are read for it");
        }
        LoraConverter converter = LoraConverter.open(Fixture.ADAPTER, base, ConversionOptions.defaults());
        for (Path input : List.of(base, Fixture.ADAPTER.resolve("adapter_config.json"))) {
            assertThatThrownBy(() -> converter.write(input, Progress.NONE))
                    .isInstanceOf(LlamaException.class)
                    .hasMessageContaining(input + ": it is one of the files that are read for it");
        }
    }

    @Test
    void whatNoAdapterChangesStaysAsItIs() throws IOException {
        GgufFile before = GgufFile.open(base);
        GgufFile merged = GgufFile.open(merge(WeightedAdapter.of(Fixture.ADAPTER)));
        assertThat(merged.metadata()).isEqualTo(before.metadata());
        assertThat(merged.tensors()).isEqualTo(before.tensors());
        GgufFile changes = GgufFile.open(adapter);
        for (GgufTensor tensor : before.tensors()) {
            boolean changed = changes.tensor(tensor.name() + ".lora_a").isPresent();
            assertThat(merged.map(tensor).equals(before.map(tensor)))
                    .as(tensor.name())
                    .isEqualTo(!changed);
        }
    }

    @Test
    void quantizedTensorsAreRefusedWithTheWayOut() {
        Path quantized = folder.resolve("q4_0.gguf");
        QuantizeParams params = new QuantizeParams(Q4_0, 1, -1, -1, false, true, false, true);
        assertThat(NativeRuntime.get().binding().modelQuantize(base.toString(), quantized.toString(), params))
                .isZero();
        assertThatThrownBy(
                        () -> GgufMerger.open(quantized, List.of(WeightedAdapter.of(adapter)), MergeOptions.defaults()))
                .isInstanceOf(LoraException.class)
                .hasMessageContaining("are Q4_0 in")
                .hasMessageContaining("quantize the result");
        assertThatThrownBy(() -> LoraConverter.open(Fixture.ADAPTER, quantized, ConversionOptions.defaults()))
                .isInstanceOf(LoraException.class)
                .hasMessageContaining("name the base's checkpoint");
    }

    @Test
    void adaptersOfOtherModelsAreNamed() throws IOException {
        Path other = folder.resolve("other.gguf");
        GgufEditor.of(GgufFile.open(adapter))
                .set("general.architecture", GgufValue.string("qwen2"))
                .writeTo(other);
        refused(other, "'qwen2'");
        GgufEditor.of(GgufFile.open(adapter))
                .renameTensor("blk.0.attn_q.weight.lora_a", "blk.7.attn_q.weight.lora_a")
                .renameTensor("blk.0.attn_q.weight.lora_b", "blk.7.attn_q.weight.lora_b")
                .writeTo(other);
        refused(other, "not in the base (1): blk.7.attn_q.weight");
        GgufEditor.of(GgufFile.open(adapter)).dropTensor("output.weight.lora_a").writeTo(other);
        refused(other, "'output.weight.lora_b' lacks its other half");
        GgufEditor.of(GgufFile.open(adapter))
                .renameTensor("blk.0.attn_k.weight.lora_a", "t")
                .renameTensor("blk.0.attn_k.weight.lora_b", "u")
                .renameTensor("blk.0.attn_q.weight.lora_a", "blk.0.attn_k.weight.lora_a")
                .renameTensor("blk.0.attn_q.weight.lora_b", "blk.0.attn_k.weight.lora_b")
                .dropTensor("t")
                .dropTensor("u")
                .writeTo(other);
        refused(other, "'blk.0.attn_k.weight' is [256, 128] in the base");
        refused(base, "is no LoRA adapter");
    }

    private void refused(Path other, String message) {
        assertThatThrownBy(() -> GgufMerger.open(base, List.of(WeightedAdapter.of(other)), MergeOptions.defaults()))
                .isInstanceOf(LoraException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aCancelledMergeLeavesNothing() throws IOException {
        GgufMerger merger =
                GgufMerger.open(base, List.of(WeightedAdapter.of(Fixture.ADAPTER)), MergeOptions.defaults());
        assertThatThrownBy(() -> merger.write(folder.resolve("merged.gguf"), done -> done < 0.5))
                .isInstanceOf(CancellationException.class);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).containsExactlyInAnyOrder(base, adapter);
        }
    }
}
