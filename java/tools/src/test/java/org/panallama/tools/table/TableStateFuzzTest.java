package org.panallama.tools.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.LlamaException;
import org.panallama.fuzz.Damage;
import org.panallama.fuzz.FuzzLoop;
import org.panallama.tools.perplexity.Estimate;

/** Goes on from the damaged state of a table. See {@link FuzzLoop} for more of them. */
class TableStateFuzzTest {

    private static final int CASES = 2000;
    private static final int BASE_BYTES = 1 << 20;
    private static final int BYTES_PER_BYTE = 100;
    private static final Map<String, String> CONDITIONS = Map.of("model", "9-ab", "windows", "all");

    @TempDir
    private Path folder;

    @Test
    void aDamagedStateIsReadOrRefused() throws Exception {
        Path file = folder.resolve("state.json");
        TableState state = new TableState(file, CONDITIONS);
        state.add(row("F16", 5.5));
        state.add(row("IQ1_S", Double.POSITIVE_INFINITY));
        List<byte[]> sound = List.of(Files.readAllBytes(file));
        FuzzLoop.Outcome outcome =
                FuzzLoop.run(CASES, random -> Damage.text(sound, random), BASE_BYTES, BYTES_PER_BYTE, bytes -> {
                    FuzzLoop.put(file, bytes);
                    return reads(file);
                });
        assertThat(outcome.refused()).isPositive();
        assertThat(outcome.read()).isPositive();
    }

    private static boolean reads(Path file) {
        TableState state;
        try {
            state = new TableState(file, CONDITIONS);
        } catch (LlamaException e) {
            assertThat(e).hasMessageStartingWith(file.toString()).hasMessageContaining("delete");
            return false;
        }
        TableReport report = report(List.copyOf(state.rows().values()));
        assertThat(report.markdown()).isNotEmpty();
        assertThat(report.json()).isNotEmpty();
        return true;
    }

    @Test
    void whatIsNoNumberIsKeptAndNotDrawn() throws Exception {
        Path file = folder.resolve("state.json");
        TableState state = new TableState(file, CONDITIONS);
        state.add(row("F16", 5.5));
        state.add(row("IQ1_S", Double.POSITIVE_INFINITY));

        List<TableRow> rows =
                new ArrayList<>(new TableState(file, CONDITIONS).rows().values());
        assertThat(rows.get(0)).isEqualTo(row("F16", 5.5));
        assertThat(rows.get(1).perplexity().value()).isNaN();
        report(rows).draw(folder.resolve("table.svg"));
        assertThat(folder.resolve("table.svg")).isNotEmptyFile();
        assertThat(report(rows).json()).contains("\"perplexity\": null");
        report(rows.subList(1, 2)).draw(folder.resolve("none.svg"));
        assertThat(folder.resolve("none.svg")).doesNotExist();
    }

    private static TableReport report(List<TableRow> rows) {
        return new TableReport("model", 512, 512, 64, 2, "", rows);
    }

    private static TableRow row(String type, double perplexity) {
        Estimate none = new Estimate(0, 0);
        return new TableRow(
                type, 1234, 16, new Estimate(perplexity, perplexity / 10), none, none, new Estimate(1, 0), 30, 4.5);
    }
}
