package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PerplexityCommandTest {

    @TempDir
    Path folder;

    private String text;

    @BeforeEach
    void copyText() throws Exception {
        Path file = folder.resolve("eval.txt");
        try (InputStream in = getClass().getResourceAsStream("/tiny-mixtral/eval.txt")) {
            Files.copy(in, file);
        }
        text = file.toString();
    }

    @Test
    void contextsAreMeasuredOneAfterTheOther() {
        Result result = Result.of("perplexity", "-f", text, "-c", "128,256", "--chunks", "8");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.out().lines())
                .hasSize(2)
                .last()
                .asString()
                .contains("eval.txt, context 256: perplexity 8.51")
                .endsWith("(8 windows, 1016 tokens)");
    }

    @Test
    void jsonAndPicturesHaveTheSameNumbers() {
        Path picture = folder.resolve("ppl.svg");
        Result result = Result.of(
                "perplexity", "-f", text, "-c", "128,256", "--chunks", "2", "--json", "--plot", picture.toString());
        assertThat(result.status()).as(result.err()).isZero();
        JsonArray rows = JsonParser.parseString(result.out()).getAsJsonArray();
        assertThat(rows).hasSize(2);
        JsonObject last = rows.get(1).getAsJsonObject();
        assertThat(last.get("perplexity").getAsDouble()).isCloseTo(6.6188, within(0.01));
        assertThat(last.get("text").getAsString()).isEqualTo("eval.txt");
        assertThat(picture).isNotEmptyFile();
    }

    @Test
    void predictionsAreSavedAndCompared() {
        String logits = folder.resolve("f16.kld").toString();
        Result saved = Result.of("perplexity", "-f", text, "-c", "256", "--chunks", "2", "--save-logits", logits);
        assertThat(saved.status()).as(saved.err()).isZero();
        Result compared = Result.of("perplexity", "--kl-base", logits);
        assertThat(compared.status()).as(compared.err()).isZero();
        assertThat(compared.out())
                .contains("perplexity 6.61", "mean KL divergence     ", "same top token         100.0");
        JsonObject json = JsonParser.parseString(
                        Result.of("perplexity", "--kl-base", logits, "--json").out())
                .getAsJsonArray()
                .get(0)
                .getAsJsonObject();
        assertThat(json.get("perplexity_ratio").getAsDouble()).isCloseTo(1, within(1e-4));
        assertThat(json.getAsJsonObject("kl_divergence_quantiles").has("0.99")).isTrue();
    }

    @Test
    void wrongUseIsExplained() {
        usage("give -f FILE", "perplexity");
        usage("leave out -f", "perplexity", "--kl-base", "x.kld", "-f", text);
        usage("takes one model", "perplexity", "-f", text, "-c", "128,256", "--save-logits", "x.kld");
        usage("must be named .png or .svg", "perplexity", "-f", text, "--plot", "ppl.pdf");
        usage("-c is 2, must be from 4", "perplexity", "-f", text, "-c", "2");
        usage("--chunks is 0, must be from 1", "perplexity", "-f", text, "--chunks", "0");
        usage("stride is 600", "perplexity", "-f", text, "--stride", "600");
        usage("ropeFrequencyBase is 0.5", "perplexity", "-f", text, "--rope-freq-base", "0.5");
        Result result = Result.of("perplexity", "-f", text, "-c", "100000");
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("too few for the perplexity at a context of 100000");
    }

    private static void usage(String message, String... args) {
        Result result = Result.of(args);
        assertThat(result.status()).as(result.err()).isEqualTo(2);
        assertThat(result.err()).contains(message);
    }
}
