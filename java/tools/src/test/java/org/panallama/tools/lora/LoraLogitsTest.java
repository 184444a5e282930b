package org.panallama.tools.lora;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.tools.Progress;
import org.panallama.tools.convert.ConversionType;

/** The same adapter in three ways: all give the logits that another implementation computed of the merged model. */
class LoraLogitsTest {

    private static final List<WeightedAdapter> ADAPTER = List.of(WeightedAdapter.of(Fixture.ADAPTER));
    /** What rounding the merged weights to eight bits of mantissa does to the logits. */
    private static final float ROUNDED = 2e-2f;

    @TempDir
    Path folder;

    @Test
    void atRunTime() throws IOException {
        Path adapter = Fixture.convertedAdapter(Fixture.ADAPTER, Fixture.BASE, folder.resolve("lora.gguf"));
        Fixture.assertMerged(model(ConversionType.F32), Map.of(adapter, 1f));
        Fixture.assertBase(model(ConversionType.F32), Map.of(adapter, 0f));
    }

    @Test
    void atRunTimeByItsDifferenceToAGgufFile() throws IOException {
        Path rounded = model(ConversionType.Q8_0);
        Path adapter = Fixture.convertedAdapter(Fixture.ADAPTER, rounded, folder.resolve("lora.gguf"));
        Fixture.assertMergedRoughly(rounded, Map.of(adapter, 1f), 0.1f);
        Path exact = model(ConversionType.BF16);
        Fixture.convertedAdapter(Fixture.ADAPTER, exact, adapter);
        Fixture.assertMerged(model(ConversionType.F32), Map.of(adapter, 1f));
    }

    @Test
    void mergedIntoTheCheckpoint() throws IOException {
        MergeOptions single = MergeOptions.builder().type(ConversionType.F32).build();
        Path exact = folder.resolve("exact");
        CheckpointMerger.open(Fixture.BASE, ADAPTER, single).write(exact, Progress.NONE);
        Fixture.assertMerged(Fixture.converted(exact, ConversionType.F32, folder.resolve("exact.gguf")), Map.of());
        Path rounded = folder.resolve("rounded");
        CheckpointMerger.open(Fixture.BASE, ADAPTER, MergeOptions.defaults()).write(rounded, Progress.NONE);
        Fixture.assertMergedRoughly(
                Fixture.converted(rounded, ConversionType.F32, folder.resolve("rounded.gguf")), Map.of(), ROUNDED);
    }

    @Test
    void mergedIntoAGgufFile() throws IOException {
        Path merged = folder.resolve("merged.gguf");
        GgufMerger.open(model(ConversionType.F32), ADAPTER, MergeOptions.defaults())
                .write(merged, Progress.NONE);
        Fixture.assertMerged(merged, Map.of());
    }

    @Test
    void mergedIntoAGgufFileFromAGgufAdapter() throws IOException {
        Path adapter = Fixture.convertedAdapter(Fixture.ADAPTER, Fixture.BASE, folder.resolve("lora.gguf"));
        Path merged = folder.resolve("merged.gguf");
        GgufMerger.open(model(ConversionType.F32), List.of(WeightedAdapter.of(adapter)), MergeOptions.defaults())
                .write(merged, Progress.NONE);
        Fixture.assertMerged(merged, Map.of());
    }

    @Test
    void mergedIntoAQuantizedGgufFile() throws IOException {
        Path merged = folder.resolve("merged.gguf");
        GgufMerger.open(model(ConversionType.Q8_0), ADAPTER, MergeOptions.defaults())
                .write(merged, Progress.NONE);
        Fixture.assertMergedRoughly(merged, Map.of(), 0.1f);
    }

    private Path model(ConversionType type) {
        return Fixture.converted(Fixture.BASE, type, folder.resolve("base." + type + ".gguf"));
    }
}
