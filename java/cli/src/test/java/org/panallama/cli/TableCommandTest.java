package org.panallama.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TableCommandTest {

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

    private String[] args(String... more) {
        String[] all = {
            "table",
            "-f",
            text,
            "-o",
            folder.resolve("out").toString(),
            "-c",
            "256",
            "--chunks",
            "2",
            "-p",
            "16",
            "-n",
            "4",
            "-t",
            "1"
        };
        String[] args = Arrays.copyOf(all, all.length + more.length);
        System.arraycopy(more, 0, args, all.length, more.length);
        return args;
    }

    @Test
    void aTableIsPrintedAndExtended() {
        Result markdown = Result.of(args("--types", "F16,Q4_0"));
        assertThat(markdown.status()).as(markdown.err()).isZero();
        assertThat(markdown.out()).contains("| F16 | 26.", "| 6.61", "| Q4_0 | 8.");
        JsonArray rows =
                Result.of(args("--types", "F16,Q4_0,Q8_0", "--json")).json().getAsJsonArray("rows");
        assertThat(rows).hasSize(3);
        assertThat(rows.get(2).getAsJsonObject().get("type").getAsString()).isEqualTo("Q8_0");
    }

    @Test
    void wrongUseIsExplained() {
        assertThat(Result.of("table", "-f", text).err()).contains("--output");
        assertThat(Result.of(args("--types", "Q9")).err()).contains("'Q9' is not a file type");
        assertThat(Result.of(args("--imatrix", "a", "--calibration", "b")).err())
                .contains("mutually exclusive");
        assertThat(Result.of(args("-n", "0")).status()).isEqualTo(2);
    }
}
