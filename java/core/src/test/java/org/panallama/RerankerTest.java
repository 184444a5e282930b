package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.tiny.TinyModel;

@Tag("native")
class RerankerTest {

    private static final List<String> DOCUMENTS = List.of("one two", "a b c", "three", "zebra", "one . two");

    @TempDir
    static Path folder;

    private static Model model;

    @BeforeAll
    static void load() throws IOException {
        model = Model.load(SmallBert.write(folder.resolve("rank.gguf"), Pooling.RANK));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void putsTheBestFirst() {
        try (Reranker reranker = Reranker.builder(model).threads(1).build()) {
            float[] scores = reranker.scores("two", DOCUMENTS);
            List<RankedDocument> ranked = reranker.rank("two", DOCUMENTS);
            assertThat(ranked).hasSameSizeAs(DOCUMENTS);
            for (int i = 0; i < ranked.size(); i++) {
                RankedDocument document = ranked.get(i);
                assertThat(document.text()).isEqualTo(DOCUMENTS.get(document.index()));
                assertThat(document.score()).isEqualTo(scores[document.index()]);
                assertThat(i == 0 || ranked.get(i - 1).score() >= document.score())
                        .isTrue();
            }
            assertThat(ranked.get(0).score()).isGreaterThan(ranked.get(4).score() + 0.001f);
        }
    }

    @Test
    void batchedScoresAreThoseOfSingleDocuments() {
        try (Reranker reranker = Reranker.builder(model).threads(1).sequences(2).build()) {
            float[] scores = reranker.scores("two", DOCUMENTS);
            for (int i = 0; i < scores.length; i++) {
                assertThat(reranker.scores("two", DOCUMENTS.subList(i, i + 1))[0])
                        .isCloseTo(scores[i], within(1e-5f));
            }
        }
    }

    /** CLS, query, SEP, document: this vocabulary wants a separator and no EOS. */
    @Test
    void computesQueryAndDocumentTogether() {
        int[] tokens = new int[] {SmallBert.CLS, 0, SmallBert.SEP, 0};
        tokens[1] = model.vocab().tokenize("two", false, false)[0];
        tokens[3] = model.vocab().tokenize("three", false, false)[0];
        try (Reranker reranker = Reranker.builder(model).threads(1).build();
                Context context = model.newContext(
                        ContextOptions.builder().embeddings(true).threads(1).build());
                Batch batch = Batch.tokens(4)) {
            for (int i = 0; i < tokens.length; i++) {
                batch.add(tokens[i], i, 0, true);
            }
            context.decode(batch);
            assertThat(reranker.scores("two", List.of("three"))[0])
                    .isCloseTo(context.sequenceEmbedding(0).get(0), within(1e-5f));
        }
    }

    @Test
    void followsTheModelsTemplate() throws IOException {
        Path file = SmallBert.write(folder.resolve("template.gguf"), Pooling.RANK, "[CLS]{query}[SEP]{document}");
        try (Model withTemplate = Model.load(file);
                Reranker byTemplate = Reranker.builder(withTemplate).threads(1).build();
                Reranker plain = Reranker.builder(model).threads(1).build()) {
            float[] expected = plain.scores("two [SEP] {document}", DOCUMENTS);
            float[] scores = byTemplate.scores("two [SEP] {document}", DOCUMENTS);
            for (int i = 0; i < scores.length; i++) {
                assertThat(scores[i]).isCloseTo(expected[i], within(1e-5f));
            }
        }
    }

    @Test
    void refusesAModelWithoutAHead() throws IOException {
        try (Model tiny = Model.load(TinyModel.path());
                Model bert = Model.load(SmallBert.write(folder.resolve("bert.gguf"), Pooling.MEAN))) {
            for (Model headless : List.of(tiny, bert)) {
                assertThatThrownBy(() -> Reranker.of(headless))
                        .isInstanceOf(LlamaException.class)
                        .hasMessageContaining("no classification head");
            }
        }
    }

    @Test
    void refusesWhatIsTooLong() {
        try (Reranker reranker = Reranker.builder(model).threads(1).build()) {
            assertThatThrownBy(() -> reranker.rank("two", List.of("one", "a ".repeat(100))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("document 1 with the query has 103 tokens, at most 64");
            assertThat(reranker.rank("two", List.of())).isEmpty();
        }
    }
}
