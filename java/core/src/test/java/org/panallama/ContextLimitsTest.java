package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.tiny.TinyModel;

/** Sizes with which llama.cpp would end the process. */
@Tag("native")
class ContextLimitsTest {

    @TempDir
    static Path folder;

    private static ContextOptions.Builder options() {
        return ContextOptions.builder().length(256).threads(1);
    }

    @Test
    void moreSequencesThanABatchHasTokens() {
        try (Model model = Model.load(TinyModel.path())) {
            assertThatThrownBy(() ->
                            model.newContext(options().batch(4).sequences(5).build()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("sequences is 5")
                    .hasMessageContaining("which is 4");
            try (Context context =
                    model.newContext(options().batch(4).sequences(4).build())) {
                context.decode(1, 2, 3, 4, 5);
            }
        }
    }

    @Test
    void meanOverAMicroBatchThatSequencesDoNotDivide() {
        try (Model model = Model.load(TinyModel.path())) {
            ContextOptions.Builder mean =
                    options().embeddings(true).pooling(Pooling.MEAN).microBatch(20);
            try (Context context = model.newContext(mean.sequences(3).build())) {
                assertThat(context.microBatchSize()).isEqualTo(18);
            }
            assertThatThrownBy(() -> model.newContext(mean.sequences(21).build()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("microBatch is 20");
        }
    }

    @Test
    void positionsThatTheModelHasNoVectorFor() throws IOException {
        try (Model bert = Model.load(SmallBert.write(folder.resolve("bert.gguf"), Pooling.MEAN));
                Context context = bert.newContext(options().embeddings(true).build());
                Batch batch = Batch.tokens(1)) {
            batch.add(SmallBert.CLS, SmallBert.LONGEST, 0, true);
            assertThatThrownBy(() -> context.decode(batch))
                    .isInstanceOf(IndexOutOfBoundsException.class)
                    .hasMessageContaining("position 64 is out of range: 0 to 63");
            batch.clear();
            batch.add(SmallBert.CLS, SmallBert.LONGEST - 1, 0, true);
            context.decode(batch);
        }
    }

    @Test
    void textFromAModelThatOnlyEmbeds() throws IOException {
        try (Model bert = Model.load(SmallBert.write(folder.resolve("bert.gguf"), Pooling.MEAN));
                Context context = bert.newContext(options().build());
                Sampler greedy = Sampler.greedy()) {
            assertThatThrownBy(() -> context.generate("one", greedy).text())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("Embedder");
        }
    }
}
