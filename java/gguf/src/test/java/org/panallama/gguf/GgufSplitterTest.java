package org.panallama.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.tiny.TinyModel;

class GgufSplitterTest {

    @TempDir
    private Path folder;

    @Test
    void splittingAndMergingChangesNoByte() throws IOException {
        GgufModel model = GgufModel.open(TinyModel.path());
        for (GgufSplitter splitter :
                List.of(GgufSplitter.byTensors(model, 20), GgufSplitter.bySize(model, 5_000_000))) {
            List<Path> parts = splitter.write(folder.resolve("model.gguf"), done -> true);
            assertThat(parts).hasSizeGreaterThan(3);
            assertThat(parts.get(0).getFileName().toString())
                    .isEqualTo(String.format(Locale.ROOT, "model-00001-of-%05d.gguf", parts.size()));
            for (Path part : parts) {
                assertThat(GgufValidator.check(part)).isEmpty();
            }
            GgufFile last = GgufFile.open(parts.get(parts.size() - 1));
            assertThat(last.metadata().keySet()).containsExactly("split.no", "split.count", "split.tensors.count");
            assertThat(last.metadata().get("split.no").type()).isEqualTo(GgufType.UINT16);
            assertThat(last.metadata().get("split.tensors.count"))
                    .isEqualTo(GgufValue.int32(model.tensors().size()));
            Path merged = folder.resolve("merged.gguf");
            GgufModel split = GgufModel.open(parts.get(1));
            GgufSplitter.merge(split, merged, done -> true);
            assertThat(Files.mismatch(merged, TinyModel.path())).isEqualTo(-1);
            assertThat(GgufDiff.compare(model, split, done -> true)).isEmpty();
            assertThat(GgufHash.of(split, GgufHash.Algorithm.SHA1, done -> true))
                    .isEqualTo(GgufHash.of(model, GgufHash.Algorithm.SHA1, done -> true));
            assertThatThrownBy(() -> GgufSplitter.merge(split, parts.get(0), done -> true))
                    .isInstanceOf(IllegalArgumentException.class);
            Files.delete(parts.get(2));
            assertThatThrownBy(() -> GgufModel.open(parts.get(0)))
                    .isInstanceOf(GgufException.class)
                    .hasMessageContaining("missing");
        }
    }

    @Test
    void sizesAreKept() throws IOException {
        GgufModel model = GgufModel.open(TinyModel.path());
        GgufSplitter splitter = GgufSplitter.bySize(model, 1_000_000);
        for (List<GgufTensor> part : splitter.parts()) {
            assertThat(part.size() == 1
                            || part.stream().mapToLong(GgufTensor::bytes).sum() <= 1_000_000)
                    .isTrue();
        }
        assertThat(splitter.parts().stream().flatMap(List::stream).toList()).isEqualTo(model.tensors());
    }

    @Test
    void cancellingLeavesNothing() throws IOException {
        GgufSplitter splitter = GgufSplitter.byTensors(GgufModel.open(TinyModel.path()), 10);
        assertThatThrownBy(() -> splitter.write(folder.resolve("model"), done -> done < 0.7))
                .isInstanceOf(CancellationException.class);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).isEmpty();
        }
    }

    @Test
    void aRenamedPartIsRefused() throws IOException {
        List<Path> parts = GgufSplitter.byTensors(GgufModel.open(TinyModel.path()), 40)
                .write(folder.resolve("model"), done -> true);
        Path renamed = Files.move(parts.get(0), folder.resolve("first.gguf"));
        assertThatThrownBy(() -> GgufModel.open(renamed)).hasMessageContaining("-00001-of-00002.gguf");
    }
}
