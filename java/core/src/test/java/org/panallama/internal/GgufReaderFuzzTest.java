package org.panallama.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.ModelLoadException;
import org.panallama.fuzz.Damage;
import org.panallama.fuzz.FuzzLoop;

/** Checks models with damaged headers, without llama.cpp. See {@link FuzzLoop} for more of them. */
class GgufReaderFuzzTest {
    private static final int CASES = 4000;

    // Reading has buffers, the vocabulary's check an array for each property that a token can have.
    private static final int BASE_BYTES = 1 << 20;
    private static final int BYTES_PER_BYTE = 64;

    private static final int DATA_BYTES = 1 << 15;

    @TempDir
    Path directory;

    @Test
    void aDamagedModelIsAcceptedOrRefused() throws Exception {
        List<byte[]> headers = List.of(
                SmallModel.writer().header(),
                SmallModel.writer().version(2).header(),
                SmallModel.vocabulary().header());
        Path file = directory.resolve("model.gguf");
        FuzzLoop.Outcome outcome =
                FuzzLoop.run(CASES, random -> damaged(headers, random), BASE_BYTES, BYTES_PER_BYTE, bytes -> {
                    FuzzLoop.put(file, bytes);
                    try {
                        GgufPreflight.check(file);
                        return true;
                    } catch (ModelLoadException e) {
                        assertThat(e).hasMessageContaining("model.gguf");
                        return false;
                    }
                });
        assertThat(outcome.refused()).isPositive();
        assertThat(outcome.read()).isPositive();
    }

    private static byte[] damaged(List<byte[]> headers, Random random) {
        byte[] header = Damage.bytes(headers, random);
        return random.nextInt(8) == 0 ? header : Arrays.copyOf(header, header.length + DATA_BYTES);
    }
}
