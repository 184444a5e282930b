package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.tiny.TinyModel;

@Tag("native")
class EmbedderTest {

    private static final List<String> TEXTS = List.of("one", "two three", "a b c d e f", "one", "zebra . one two");

    @TempDir
    static Path folder;

    private static Model tiny;
    private static Model bert;

    @BeforeAll
    static void load() throws IOException {
        tiny = Model.load(TinyModel.path());
        bert = Model.load(SmallBert.write(folder.resolve("bert.gguf"), Pooling.MEAN));
    }

    @AfterAll
    static void close() {
        tiny.close();
        bert.close();
    }

    private static Embedder.Builder embedder(Model model) {
        return Embedder.builder(model).threads(1);
    }

    @Test
    void vectorsHaveLengthOne() {
        for (Model model : List.of(tiny, bert)) {
            try (Embedder embedder = embedder(model).build()) {
                assertThat(embedder.pooling()).isEqualTo(Pooling.MEAN);
                float[] vector = embedder.embed("one two");
                assertThat(vector).hasSize(embedder.size());
                assertThat(Math.sqrt(dot(vector, vector))).isCloseTo(1, within(1e-6));
            }
        }
    }

    @Test
    void vectorsAsTheyAreWithoutNormalization() {
        try (Embedder embedder = embedder(bert).normalize(false).build();
                Embedder normalizing = embedder(bert).build()) {
            float[] raw = embedder.embed("one two");
            double length = Math.sqrt(dot(raw, raw));
            assertThat(length).isNotCloseTo(1, within(0.01));
            float[] unit = normalizing.embed("one two");
            for (int i = 0; i < raw.length; i++) {
                assertThat(raw[i] / length).isCloseTo(unit[i], within(1e-6));
            }
        }
    }

    /** Whatever is computed together, and in whatever order, a text has its own vector. */
    @Test
    void batchedVectorsAreThoseOfSingleTexts() {
        for (Model model : List.of(tiny, bert)) {
            for (Pooling pooling : List.of(Pooling.MEAN, Pooling.CLS, Pooling.LAST)) {
                try (Embedder embedder = embedder(model)
                                .pooling(pooling)
                                .sequences(3)
                                .microBatch(20)
                                .build();
                        Embedder single =
                                embedder(model).pooling(pooling).sequences(1).build()) {
                    List<float[]> batched = embedder.embed(TEXTS);
                    assertThat(batched).hasSize(TEXTS.size());
                    for (int i = 0; i < TEXTS.size(); i++) {
                        assertClose(batched.get(i), single.embed(TEXTS.get(i)));
                    }
                    if (pooling != Pooling.CLS
                            || model == bert) { // the first token of a decoder knows nothing of the text
                        assertThat(dot(batched.get(0), batched.get(2))).isLessThan(0.9999);
                    }
                }
            }
        }
    }

    @Test
    void earlierTextsLeaveNoTrace() {
        try (Embedder embedder = embedder(tiny).build()) {
            float[] first = embedder.embed("one two");
            embedder.embed(TEXTS);
            assertThat(embedder.embed("one two")).isEqualTo(first);
        }
    }

    @Test
    void tokensHaveVectorsWithoutPooling() {
        try (Embedder embedder =
                        embedder(bert).pooling(Pooling.NONE).normalize(false).build();
                Embedder mean = embedder(bert).normalize(false).build()) {
            List<float[]> tokens = embedder.embedTokens("one two");
            assertThat(tokens).hasSize(4); // CLS, one, two, SEP
            float[] average = new float[embedder.size()];
            tokens.forEach(vector -> IntStream.range(0, average.length).forEach(i -> average[i] += vector[i] / 4));
            assertClose(average, mean.embed("one two"));
            assertThatThrownBy(() -> embedder.embed("one"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("embedTokens()");
            assertThatThrownBy(() -> mean.embedTokens("one"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("Pooling.NONE");
        }
    }

    @Test
    void specialTokensInATextArePlainText() {
        try (Embedder embedder = embedder(bert).pooling(Pooling.NONE).build()) {
            assertThat(embedder.embedTokens("[SEP]")).hasSizeGreaterThan(3);
        }
    }

    @Test
    void refusesATextLongerThanTheMicroBatch() {
        try (Embedder embedder = embedder(bert).microBatch(8).build()) {
            assertThat(embedder.longestText()).isEqualTo(8);
            assertThatThrownBy(() -> embedder.embed(List.of("one", "a b c d e f g")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("text 1 has 9 tokens, at most 8 fit into the micro-batch: shorten or split it, or set a"
                            + " larger microBatch()");
            assertThat(embedder.embed("a b c d e f")).hasSize(SmallBert.WIDTH);
        }
    }

    /** The model has no vectors for further positions, and llama.cpp ends the process there. */
    @Test
    void refusesATextLongerThanTheModelCanTake() {
        try (Embedder embedder = embedder(bert).build()) {
            assertThat(embedder.longestText()).isEqualTo(SmallBert.LONGEST);
            assertThat(embedder.embed("a ".repeat(SmallBert.LONGEST - 2))).hasSize(SmallBert.WIDTH);
            assertThatThrownBy(() -> embedder.embed("a ".repeat(SmallBert.LONGEST - 1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("the text has 65 tokens, at most 64");
        }
    }

    @Test
    void refusesWhatGivesNoVectors() throws IOException {
        assertThatThrownBy(() -> embedder(bert).pooling(Pooling.RANK))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("Reranker");
        try (Model reranker = Model.load(SmallBert.write(folder.resolve("rank.gguf"), Pooling.RANK))) {
            assertThatThrownBy(() -> Embedder.of(reranker))
                    .isInstanceOf(LlamaException.class)
                    .hasMessageContaining("Reranker");
        }
        assertThatThrownBy(() -> embedder(bert).sequences(0)).hasMessageContaining("sequences is 0");
    }

    @Test
    void threadsWaitForEachOther() {
        try (Embedder embedder = embedder(bert).build()) {
            List<float[]> alone = embedder.embed(TEXTS);
            List<List<float[]>> all = IntStream.range(0, 16)
                    .parallel()
                    .mapToObj(i -> embedder.embed(TEXTS))
                    .toList();
            for (List<float[]> vectors : all) {
                for (int i = 0; i < TEXTS.size(); i++) {
                    assertClose(vectors.get(i), alone.get(i));
                }
            }
        }
    }

    @Test
    void refusesToWorkWhenClosed() {
        Embedder embedder = embedder(bert).build();
        embedder.close();
        embedder.close();
        assertThatThrownBy(() -> embedder.embed("one")).isInstanceOf(IllegalStateException.class);
    }

    private static void assertClose(float[] actual, float[] expected) {
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual[i]).isCloseTo(expected[i], within(1e-5f));
        }
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }
}
