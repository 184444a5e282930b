package org.panallama.tools.perplexity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.LlamaException;
import org.panallama.Vocab;
import org.panallama.fuzz.Damage;
import org.panallama.fuzz.FuzzLoop;

/** Compares predictions with damaged files of others. See {@link FuzzLoop} for more of them. */
class LogitsFileFuzzTest {

    private static final int CASES = 2000;

    // The file's buffer.
    private static final int BASE_BYTES = 2 << 20;
    private static final int BYTES_PER_BYTE = 64;

    private static final int VOCABULARY = 5;
    private static final int LENGTH = 4;

    @TempDir
    private Path folder;

    @Test
    void aDamagedFileIsReadOrRefused() throws Exception {
        Path file = folder.resolve("base.kld");
        byte[] ours = recorded(file);
        byte[] llamaCpps = Arrays.copyOf(ours, ours.length - 8 - 2 * Float.BYTES);
        List<byte[]> sound = List.of(ours, llamaCpps);
        FuzzLoop.Outcome outcome =
                FuzzLoop.run(CASES, random -> Damage.bytes(sound, random), BASE_BYTES, BYTES_PER_BYTE, bytes -> {
                    FuzzLoop.put(file, bytes);
                    return reads(file);
                });
        assertThat(outcome.refused()).isPositive();
        assertThat(outcome.read()).isPositive();
    }

    @Test
    void whatCannotBeIsNamed() throws Exception {
        Path file = folder.resolve("base.kld");
        byte[] sound = recorded(file);
        int token = 20;
        int scale = token + 8 * Integer.BYTES;
        assertRefused(sound, token, VOCABULARY, "its token 0 is 5, must be from 0 to 4");
        assertRefused(sound, token, -1, "its token 0 is -1, must be from 0 to 4");
        assertRefused(sound, scale, Float.floatToIntBits(Float.NaN), "in steps of NaN, none can be above 0");
        assertRefused(sound, scale + 4, Float.floatToIntBits(1), "log-probabilities from 1.0 in steps of");
        assertRefused(sound, sound.length - 4, Float.floatToIntBits(-1), "its likelihood 1 is -1.0, must be finite");
        // 2^30 windows of 2^34 bytes: in 64 bits, the file ends behind its header, as it does.
        ByteBuffer header = ByteBuffer.wrap(Arrays.copyOf(sound, token)).order(ByteOrder.LITTLE_ENDIAN);
        header.putInt(8, 1543).putInt(12, 11_141_282);
        assertRefused(header.array(), 16, 1 << 30, "20 bytes, where each of 1073741824 windows");
    }

    private void assertRefused(byte[] sound, int at, int value, String message) throws IOException {
        byte[] damaged = sound.clone();
        ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN).putInt(at, value);
        Path file = Files.write(folder.resolve("damaged.kld"), damaged);
        assertThatThrownBy(() -> compare(file))
                .isInstanceOf(LlamaException.class)
                .hasMessageContainingAll(file + ": damaged: ", message);
    }

    private static byte[] recorded(Path file) throws IOException {
        Windows windows = new Windows(new int[] {0, 1, 2, 3, 4, 3, 2, 1}, 2, LENGTH, LENGTH, 2, Vocab.NO_TOKEN);
        try (LogitsFile.Recorder recorder = new LogitsFile.Recorder(file, windows, VOCABULARY)) {
            RecordingScoring scoring = new RecordingScoring(recorder);
            for (int i = 0; i < windows.scored(); i++) {
                LogitRow row = predicted(i, VOCABULARY, windows.next(i, 2));
                scoring.score(row);
                scoring.collect(row);
            }
            recorder.finish();
        }
        return Files.readAllBytes(file);
    }

    private static LogitRow predicted(int seed, int vocabSize, int next) {
        LogitRow row = new LogitRow(vocabSize, true);
        Random random = new Random(seed);
        for (int i = 0; i < row.logits.length; i++) {
            row.logits[i] = random.nextFloat() * 20;
        }
        row.next(next);
        return row;
    }

    private static boolean reads(Path path) throws IOException {
        try {
            compare(path);
            return true;
        } catch (LlamaException e) {
            assertThat(e).hasMessageStartingWith(path + ": ");
            return false;
        }
    }

    private static void compare(Path path) throws IOException {
        try (LogitsFile file = LogitsFile.open(path)) {
            Windows windows = new Windows(
                    file.tokens(),
                    file.windows(),
                    file.contextLength(),
                    file.contextLength(),
                    file.contextLength() / 2,
                    Vocab.NO_TOKEN);
            DivergenceScoring scoring = new DivergenceScoring(file, windows.scored());
            for (int window = 0; window < windows.count(); window++) {
                for (int position = 0; position < windows.length(); position++) {
                    if (windows.isScored(position)) {
                        LogitRow row = predicted(window, file.vocabSize(), windows.next(window, position));
                        scoring.prepare(row);
                        scoring.score(row);
                        scoring.collect(row);
                    }
                }
            }
            check(scoring.result(new PerplexityResult(
                    windows.length(),
                    0,
                    windows.count(),
                    scoring.nll().count(),
                    scoring.nll().estimate())));
        }
    }

    private static void check(KlDivergence divergence) {
        assertThat(divergence.divergence().value()).isFinite();
        assertThat(divergence.divergences().median()).isFinite();
        assertThat(divergence.probabilityChanges().max()).isBetween(-1.1, 1.1);
        assertThat(divergence.sameTop().value()).isBetween(0.0, 1.0);
    }
}
