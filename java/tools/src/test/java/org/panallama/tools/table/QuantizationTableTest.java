package org.panallama.tools.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonParser;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.panallama.LlamaException;
import org.panallama.tiny.TinyModel;
import org.panallama.tools.Progress;
import org.panallama.tools.perplexity.Estimate;
import org.panallama.tools.quantize.FileType;

class QuantizationTableTest {

    private static String text;

    @TempDir
    Path folder;

    @BeforeAll
    static void read() throws Exception {
        text = resource("eval.txt");
    }

    private static String resource(String name) throws Exception {
        try (InputStream in = QuantizationTableTest.class.getResourceAsStream("/tiny-mixtral/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private QuantizationTable.Builder table(FileType... types) {
        return QuantizationTable.builder(TinyModel.path(), text, folder)
                .types(List.of(types))
                .contextLength(256)
                .windows(4)
                .calibration(text.substring(text.length() / 2, text.length() / 2 + 6000))
                .speed(16, 4)
                .threads(1);
    }

    private List<String> files() throws Exception {
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void fewerBitsAreWorse() throws Exception {
        double[] last = new double[1];
        TableReport report = table(FileType.F16, FileType.Q8_0, FileType.Q4_0, FileType.Q2_K, FileType.IQ2_XXS)
                .build()
                .run(step -> {}, done -> {
                    assertThat(done).isBetween(last[0], 1.0);
                    last[0] = done;
                    return true;
                });
        List<TableRow> rows = report.rows();
        assertThat(rows).extracting(TableRow::type).containsExactly("F16", "Q8_0", "Q4_0", "Q2_K", "IQ2_XXS");
        for (int i = 1; i < rows.size(); i++) {
            TableRow better = rows.get(i - 1);
            TableRow row = rows.get(i);
            assertThat(row.fileBytes()).isLessThan(better.fileBytes());
            assertThat(row.bitsPerWeight()).isLessThan(better.bitsPerWeight());
            // Within the error, since a text this short can favour the worse one.
            assertThat(row.perplexity().value())
                    .isGreaterThan(
                            better.perplexity().value() - better.perplexity().error());
            assertThat(row.divergence().value())
                    .isGreaterThan(better.divergence().value());
            assertThat(row.sameTop().value())
                    .isLessThanOrEqualTo(better.sameTop().value());
            assertThat(row.logPerplexityRatio().error()).isPositive();
            assertThat(row.promptSpeed()).isPositive();
            assertThat(row.decodeSpeed()).isPositive();
        }
        assertThat(files())
                .containsExactly(
                        "collected-imatrix.gguf", "state.json", "table.json", "table.md", "table.png", "table.svg");
        assertThat(JsonParser.parseString(report.json()).getAsJsonObject().getAsJsonArray("rows"))
                .hasSize(5);
        assertThat(report.markdown()).contains("| Q8_0 | 14.").contains("collected from the calibration text");
    }

    /** All twelve types; {@link ContinuedText} says why on this text. */
    @Test
    void perplexitiesRiseAsBitsFall() throws Exception {
        TableReport report = QuantizationTable.builder(TinyModel.path(), resource("continued.txt"), folder)
                .contextLength(ContinuedText.CONTEXT)
                .parseSpecial(true)
                .calibration(String.join("\n", text.lines().limit(500).toList()))
                .speed(16, 4)
                .build()
                .run(step -> {}, Progress.NONE);
        List<TableRow> rows = report.rows();
        assertThat(rows).hasSize(12);
        assertThat(rows)
                .extracting(TableRow::bitsPerWeight)
                .isSortedAccordingTo(Comparator.reverseOrder())
                .doesNotHaveDuplicates();
        assertThat(rows).extracting(row -> row.perplexity().value()).isSorted().doesNotHaveDuplicates();
        assertThat(rows).extracting(row -> row.divergence().value()).isSorted();
        for (TableRow row : rows) {
            Estimate ratio = row.logPerplexityRatio();
            assertThat(ratio.value()).as(row.type()).isCloseTo(row.divergence().value(), within(4 * ratio.error()));
            assertThat(Math.log(
                            row.perplexity().value() / rows.get(0).perplexity().value()))
                    .isCloseTo(ratio.value(), within(1e-6));
        }
        assertThat(report.markdown())
                .contains("| ln(PPL/PPL(base)) |", "| 0.00000 ± 0.00000 |")
                .doesNotContain("does not show");
    }

    /** The whole text, by llama.cpp v0.4.0's own llama-perplexity; of more types, the text is too short to tell. */
    @Test
    void perplexitiesAreThoseOfLlamaCpp() throws Exception {
        List<TableRow> rows = QuantizationTable.builder(TinyModel.path(), text, folder)
                .types(List.of(FileType.F16, FileType.Q8_0, FileType.Q4_K_M, FileType.Q2_K))
                .contextLength(256)
                .speed(16, 4)
                .build()
                .run(step -> {}, Progress.NONE)
                .rows();
        double[] expected = {13.068, 13.077, 13.110, 13.141};
        for (int i = 0; i < expected.length; i++) {
            TableRow row = rows.get(i);
            assertThat(row.perplexity().value()).as(row.type()).isCloseTo(expected[i], within(0.03));
        }
        assertThat(rows).extracting(row -> row.perplexity().value()).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void anInterruptedRunGoesOn() throws Exception {
        List<String> steps = new ArrayList<>();
        assertThatThrownBy(() -> table(FileType.F16, FileType.Q8_0, FileType.Q4_0)
                        .build()
                        .run(steps::add, done -> done < 0.7))
                .isInstanceOf(CancellationException.class);
        assertThat(steps).containsExactly("the model itself", "Q8_0", "Q4_0");
        steps.clear();
        TableReport report =
                table(FileType.F16, FileType.Q8_0, FileType.Q4_0).build().run(steps::add, Progress.NONE);
        assertThat(steps).containsExactly("the model itself", "Q4_0");
        assertThat(report.rows()).hasSize(3);
        steps.clear();
        assertThat(table(FileType.F16, FileType.Q8_0, FileType.Q4_0).build().run(steps::add, Progress.NONE))
                .isEqualTo(report);
        assertThat(steps).isEmpty();
    }

    @Test
    void filesAreKeptIfAsked() throws Exception {
        table(FileType.Q4_0).windows(1).keep(true).build().run(step -> {}, Progress.NONE);
        assertThat(files()).contains("tiny-mixtral.Q4_0.gguf", "base.kld");
    }

    @Test
    void aFileInPlaceOfTheFolderIsNamed() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "");
        assertThatThrownBy(() -> QuantizationTable.builder(TinyModel.path(), text, file)
                        .build()
                        .run(step -> {}, Progress.NONE))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining(file + ": it is a file; name a folder");
    }

    /** It would be written over, and deleted after it was measured. */
    @Test
    void filesThatWereThereBeforeStay() throws Exception {
        Path own = Files.writeString(folder.resolve("tiny-mixtral.Q4_0.gguf"), "mine");
        assertThatThrownBy(() -> table(FileType.F16).build().run(step -> {}, Progress.NONE))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining(own + " is there already, and would be written over: choose another folder");
        assertThat(own).hasContent("mine");
        assertThat(files()).containsExactly("tiny-mixtral.Q4_0.gguf");
    }

    @Test
    void resultsOfOtherConditionsAreNotMixed() throws Exception {
        table(FileType.F16).windows(1).build().run(step -> {}, Progress.NONE);
        assertThatThrownBy(() -> table(FileType.F16).windows(2).build().run(step -> {}, Progress.NONE))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("results of other conditions: windows was 1, is now 2");
        Files.writeString(folder.resolve("state.json"), "{\"conditions\":");
        assertThatThrownBy(() -> table(FileType.F16).build().run(step -> {}, Progress.NONE))
                .hasMessageContaining("state.json is damaged; delete it to begin again (");
    }
}
