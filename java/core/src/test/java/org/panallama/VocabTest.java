package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.panallama.tiny.TinyModel;

@Tag("native")
class VocabTest {

    private static Model model;
    private static Vocab vocab;

    @BeforeAll
    static void load() {
        model = Model.load(
                TinyModel.path(), ModelOptions.builder().vocabOnly(true).build());
        vocab = model.vocab();
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void knowsItself() {
        assertThat(vocab.size()).isEqualTo(5120);
        assertThat(vocab.type()).isEqualTo(VocabType.SPM);
        assertThat(vocab.bos()).isEqualTo(1);
        assertThat(vocab.eos()).isEqualTo(2);
        assertThat(vocab.newline()).isEqualTo(13);
        assertThat(vocab.mask()).isEqualTo(Vocab.NO_TOKEN);
        assertThat(vocab.infillPrefix()).isEqualTo(Vocab.NO_TOKEN);
        assertThat(vocab.addsBos()).isTrue();
        assertThat(vocab.addsEos()).isFalse();
        assertThat(vocab.isEndOfGeneration(2)).isTrue();
        assertThat(vocab.isEndOfGeneration(870)).isFalse();
        assertThat(vocab.isControl(1)).isTrue();
        assertThat(vocab.attributes(1)).contains(TokenAttribute.CONTROL);
        assertThat(vocab.attributes(13)).contains(TokenAttribute.BYTE);
        assertThat(vocab.text(13)).isEqualTo("<0x0A>");
        assertThat(vocab.piece(13)).isEqualTo("\n");
        assertThat(vocab.piece(2)).isEqualTo("</s>");
        assertThat(vocab.pieceBytes(2, false)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"France", "床前明月光，疑是地上霜。", "a  b\t\n c", "😀 é 𠮷", "\u0000 NUL", "[INST] x [/INST]", " "})
    void detokenizingGivesTheTextBack(String text) {
        int[] tokens = vocab.tokenize(text);
        assertThat(tokens[0]).isEqualTo(vocab.bos());
        assertThat(vocab.detokenize(tokens)).isEqualTo(text);
    }

    @Test
    void specialTokensAreRecognisedOnlyWhereAsked() {
        assertThat(vocab.tokenize("</s>", false, true)).containsExactly(vocab.eos());
        assertThat(vocab.tokenize("</s>", false, false)).doesNotContain(vocab.eos());
        assertThat(vocab.detokenize(new int[] {1, 870, 423, 2}, false, true)).isEqualTo("<s> France</s>");
        assertThat(vocab.detokenize(1, 870, 423, 2)).isEqualTo("France");
    }

    @Test
    void emptyTextIsBosAlone() {
        assertThat(vocab.tokenize("")).containsExactly(1);
        assertThat(vocab.tokenize("", false, false)).isEmpty();
        assertThat(vocab.detokenize()).isEmpty();
    }

    @Test
    void longTextIsTokenized() {
        String text = "床前明月光，疑是地上霜。".repeat(20_000);
        assertThat(vocab.detokenize(vocab.tokenize(text))).isEqualTo(text);
    }

    @Test
    void halfASurrogatePairBecomesAQuestionMark() {
        assertThat(vocab.detokenize(vocab.tokenize("a\uD83D b"))).isEqualTo("a? b");
    }

    @Test
    void bytesOfACharacterAreApart() {
        int[] tokens = vocab.tokenize("😀", false, false);
        byte[] all = new byte[4];
        for (int i = 0; i < 4; i++) {
            byte[] one = vocab.pieceBytes(tokens[tokens.length - 4 + i], false);
            assertThat(one).hasSize(1);
            all[i] = one[0];
        }
        assertThat(new String(all, StandardCharsets.UTF_8)).isEqualTo("😀");
    }

    @Test
    void tokensOutOfRangeAreRefused() {
        for (int token : new int[] {-1, 5120, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            assertOutOfRange(() -> vocab.piece(token));
            assertOutOfRange(() -> vocab.pieceBytes(token, true));
            assertOutOfRange(() -> vocab.text(token));
            assertOutOfRange(() -> vocab.score(token));
            assertOutOfRange(() -> vocab.attributes(token));
            assertOutOfRange(() -> vocab.isControl(token));
            assertOutOfRange(() -> vocab.isEndOfGeneration(token));
            assertOutOfRange(() -> vocab.detokenize(1, token));
        }
    }

    private static void assertOutOfRange(Runnable use) {
        assertThatThrownBy(use::run)
                .isInstanceOf(IndexOutOfBoundsException.class)
                .hasMessageContaining("0 to 5119");
    }

    @Test
    void aModelWithoutWeightsDoesNotCompute() {
        assertThatThrownBy(model::newContext)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("vocabOnly");
        assertThatThrownBy(() -> model.save(Path.of("never.gguf"))).isInstanceOf(IllegalStateException.class);
    }
}
