package org.panallama.tools.perplexity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.UUID;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.LlamaException;
import org.panallama.Model;
import org.panallama.tiny.TinyModel;
import org.panallama.tools.Progress;

/** The expected numbers are those of llama.cpp v0.4.0's own program on the same file and text. */
class PerplexityTest {

    private static Model model;
    private static String text;

    @TempDir
    Path folder;

    @BeforeAll
    static void load() throws Exception {
        model = Model.load(TinyModel.path());
        try (InputStream in = PerplexityTest.class.getResourceAsStream("/tiny-mixtral/eval.txt")) {
            text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static Perplexity.Builder context256() {
        return Perplexity.builder().contextLength(256);
    }

    @Test
    void theWholeTextIsThatOfLlamaCpp() {
        double[] last = new double[1];
        PerplexityResult result = context256().build().measure(model, text, done -> {
            assertThat(done).isBetween(last[0], 1.0);
            last[0] = done;
            return true;
        });
        // llama.cpp's own kernels round the activations of F16 models to 16 bits, ours do not: 13.0628.
        assertThat(result.perplexity().value()).isCloseTo(13.0680, within(0.01));
        assertThat(result.perplexity().error()).isCloseTo(0.60203, within(0.0005));
        assertThat(result.windows()).isEqualTo(136);
        assertThat(result.tokens()).isEqualTo(136 * 127);
        assertThat(last[0]).isEqualTo(1);
    }

    @Test
    void itDoesNotMatterHowManyTokensAreComputedAtOnce() {
        for (int batch : new int[] {100, 256, 1100}) {
            PerplexityResult result =
                    context256().windows(5).batch(batch).build().measure(model, text, Progress.NONE);
            assertThat(result.perplexity().value()).as("batch %d", batch).isCloseTo(7.7311, within(0.01));
        }
    }

    @Test
    void theStridedFormIsThatOfLlamaCpp() {
        // llama-perplexity -c 240 -b 240 --ppl-stride 32 says [20]8.4953.
        PerplexityResult result = Perplexity.builder()
                .contextLength(240)
                .stride(32)
                .windows(20)
                .build()
                .measure(model, text, Progress.NONE);
        assertThat(result.perplexity().value()).isCloseTo(8.4953, within(0.01));
        assertThat(result.tokens()).isEqualTo(640);
        assertThat(result.contextLength()).isEqualTo(240);
    }

    @Test
    void specialTokensAreRecognisedIfAsked() {
        // The model ends each of these with </s>; a line feed surprises it.
        String ended = text.replace("\n[INST]", "</s>[INST]");
        Perplexity.Builder perplexity = context256().windows(8);
        PerplexityResult tokens = perplexity.parseSpecial(true).build().measure(model, ended, Progress.NONE);
        PerplexityResult characters = perplexity.parseSpecial(false).build().measure(model, ended, Progress.NONE);
        assertThat(tokens.perplexity().value()).isLessThan(3);
        assertThat(characters.perplexity().value()).isGreaterThan(5);
    }

    @Test
    void aModelDoesNotDivergeFromItsSavedPredictions() throws Exception {
        Path logits = folder.resolve("base.kld");
        Perplexity perplexity = context256().windows(4).build();
        PerplexityResult saved = perplexity.measureAndSave(model, text, logits, Progress.NONE);
        KlDivergence divergence = perplexity.compare(model, logits, Progress.NONE);
        assertThat(divergence.result()).isEqualTo(saved);
        assertThat(saved.perplexity().value()).isCloseTo(7.5200, within(0.01));
        assertThat(divergence.basePerplexity().value())
                .isCloseTo(saved.perplexity().value(), within(1e-3));
        assertThat(divergence.perplexityRatio().value()).isCloseTo(1, within(1e-4));
        assertThat(divergence.divergence().value()).isCloseTo(0, within(1e-5));
        assertThat(divergence.divergences().max()).isLessThan(1e-4);
        assertThat(divergence.sameTop().value()).isGreaterThan(0.99);
        assertThat(divergence.correlation()).isCloseTo(1, within(1e-6));
        assertThat(divergence.rmsProbabilityChange().value()).isLessThan(1e-3);
        // Header, tokens, 127 rows of scale, least value and 5120 levels for each window, likelihoods.
        assertThat(Files.size(logits)).isEqualTo(20 + 4 * 256 * 4 + 4 * 127 * (8 + 2 * 5120) + 8 + 4 * 127 * 4);
    }

    @Test
    void aSingleTokenHasNoErrors() throws Exception {
        Path logits = folder.resolve("base.kld");
        Path ofAKilledProcess = folder.resolve(".base.kld." + UUID.randomUUID() + ".tmp");
        Files.createDirectory(ofAKilledProcess);
        Files.createFile(ofAKilledProcess.resolve(".lock"));
        Perplexity perplexity = Perplexity.builder().contextLength(4).windows(1).build();
        perplexity.measureAndSave(model, text, logits, Progress.NONE);
        assertThat(Files.list(folder)).containsExactly(logits);
        KlDivergence divergence = perplexity.compare(model, logits, Progress.NONE);
        assertThat(divergence.result().tokens()).isEqualTo(1);
        assertThat(divergence.logPerplexityRatio().error()).isZero();
        assertThat(divergence.sameTop().error()).isZero();
    }

    @Test
    void aFileOfLlamaCppIsRead() throws Exception {
        Path logits = folder.resolve("base.kld");
        Perplexity perplexity = context256().windows(4).build();
        perplexity.measureAndSave(model, text, logits, Progress.NONE);
        byte[] ours = Files.readAllBytes(logits);
        Files.write(logits, Arrays.copyOf(ours, ours.length - 8 - 4 * 127 * 4));
        KlDivergence divergence = perplexity.compare(model, logits, Progress.NONE);
        // llama-perplexity --kl-divergence says 5.402830 and 1.391863 ± 0.106827, correlation 97.13 %.
        assertThat(divergence.basePerplexity().value()).isCloseTo(5.4028, within(0.01));
        assertThat(divergence.perplexityRatio().value()).isCloseTo(1.3919, within(0.002));
        assertThat(divergence.perplexityRatio().error()).isCloseTo(0.1068, within(0.001));
        assertThat(divergence.correlation()).isCloseTo(0.9713, within(0.0005));
        // Its ln(PPL(Q)/PPL(base)) is 0.330643 ± 0.076751.
        assertThat(divergence.logPerplexityRatio().value()).isCloseTo(0.3306, within(0.0015));
        assertThat(divergence.logPerplexityRatio().error()).isCloseTo(0.0768, within(0.0007));
    }

    @Test
    void filesOfPredictionsAreChecked() throws Exception {
        Path logits = folder.resolve("base.kld");
        Perplexity perplexity = context256().windows(1).build();
        perplexity.measureAndSave(model, text, logits, Progress.NONE);
        byte[] good = Files.readAllBytes(logits);
        byte[] cut = Arrays.copyOf(good, good.length - 1);
        byte[] vocabulary = good.clone();
        vocabulary[12]++;
        byte[] huge = good.clone();
        huge[19] = 0x7F;
        for (byte[] bad : new byte[][] {cut, vocabulary, huge, new byte[3], new byte[100]}) {
            Path file = Files.write(folder.resolve("bad.kld"), bad);
            assertThatThrownBy(() -> perplexity.compare(model, file, Progress.NONE))
                    .isInstanceOf(LlamaException.class)
                    .hasMessageContaining("bad.kld: ");
        }
        assertThatThrownBy(() -> perplexity.compare(model, folder.resolve("none.kld"), Progress.NONE))
                .hasMessageContaining("none.kld: no such file");
    }

    @Test
    void cancellingLeavesNoFile() throws Exception {
        Path logits = folder.resolve("base.kld");
        assertThatThrownBy(() -> context256().build().measureAndSave(model, text, logits, done -> done < 0.05))
                .isInstanceOf(CancellationException.class);
        assertThat(Files.list(folder)).isEmpty();
    }

    @Test
    void wrongUseIsExplained() {
        assertThatThrownBy(() -> context256().build().measure(model, "too short", Progress.NONE))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("too few for the perplexity at a context of 256: give at least 256");
        assertThatThrownBy(() -> Perplexity.builder().contextLength(3)).hasMessageContaining("must be from 4");
        assertThatThrownBy(() -> context256().stride(257).build()).hasMessageContaining("stride is 257");
        assertThatThrownBy(
                        () -> context256().stride(8).build().compare(model, folder.resolve("base.kld"), Progress.NONE))
                .isInstanceOf(IllegalStateException.class);
    }
}
