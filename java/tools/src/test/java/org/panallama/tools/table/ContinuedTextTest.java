package org.panallama.tools.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.panallama.Model;
import org.panallama.Vocab;
import org.panallama.tiny.TinyModel;

class ContinuedTextTest {

    /** If one window fell into other tokens, those after it would be scored where nothing was drawn from the model. */
    @Test
    void itFallsIntoTheWindowsThatWereSampled() throws Exception {
        try (Model model = Model.load(TinyModel.path())) {
            assertWindows(model.vocab(), resource("continued.txt"), 6000);
            String fresh = ContinuedText.of(model, resource("eval.txt"), 100, 5);
            assertWindows(model.vocab(), fresh, 100);
            assertThat(fresh).isEqualTo(ContinuedText.of(model, resource("eval.txt"), 100, 5));
        }
    }

    private static void assertWindows(Vocab vocab, String text, int windows) {
        int[] tokens = vocab.tokenize(text, true, true);
        assertThat(tokens).hasSize(windows * ContinuedText.CONTEXT + 1);
        assertThat(tokens[0]).isEqualTo(vocab.bos());
        for (int i = ContinuedText.CONTEXT; i < tokens.length; i += ContinuedText.CONTEXT) {
            assertThat(tokens[i]).as("token %d", i).isEqualTo(vocab.eos());
        }
    }

    private static String resource(String name) throws Exception {
        try (InputStream in = ContinuedTextTest.class.getResourceAsStream("/tiny-mixtral/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
