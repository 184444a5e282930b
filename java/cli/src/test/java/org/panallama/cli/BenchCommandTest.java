package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandTest {

    @TempDir
    Path folder;

    /** The embedded model in Q8_0, since what is counted are products of quantized weights. */
    private Result bench(String... more) {
        String model = folder.resolve("model.gguf").toString();
        if (!Path.of(model).toFile().exists()) {
            assertThat(Result.of("quantize", "--type", "Q8_0", "-o", model).status())
                    .isZero();
        }
        String[] all = {"bench", "-m", model, "-p", "16", "-n", "2", "-t", "1", "-r", "1"};
        String[] args = new String[all.length + more.length];
        System.arraycopy(all, 0, args, 0, all.length);
        System.arraycopy(more, 0, args, all.length, more.length);
        return Result.of(args);
    }

    @Test
    void theLimitsAreNamed() {
        Result table = bench();
        assertThat(table.status()).as(table.err()).isZero();
        assertThat(table.out())
                .containsPattern("\\| panallama \\(panallama\\) \\| pp16 \\| .* \\|  \\| \\d+ G \\| \\d+ % \\|")
                .containsPattern("\\| panallama \\(panallama\\) \\| tg2 \\| .* \\| [\\d.]+ \\|  \\| \\d+ % \\|")
                .contains("multiply-adds of bytes a second")
                .contains("scratch memory of the panallama kernels for the context: ");
        JsonArray rows = JsonParser.parseString(bench("--json").out()).getAsJsonArray();
        assertThat(rows).hasSize(4);
        JsonObject stock = rows.get(0).getAsJsonObject();
        assertThat(stock.get("multiply_adds").getAsDouble()).isPositive();
        assertThat(stock.get("peak_multiply_adds").getAsDouble()).isPositive();
        assertThat(stock.has("scratch_bytes")).isFalse();
        JsonObject ours = rows.get(1).getAsJsonObject();
        assertThat(ours.get("kernels").getAsString()).isEqualTo("panallama");
        assertThat(ours.get("scratch_bytes").getAsLong()).isPositive();
        assertThat(ours.get("share").getAsDouble()).isPositive();
    }
}
