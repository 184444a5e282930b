package org.panallama.tools.table;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.panallama.tools.chart.Chart;
import org.panallama.tools.perplexity.Estimate;

/**
 * A model in several file types.
 *
 * @param model name of its file
 * @param contextLength of the perplexity, in tokens
 * @param promptTokens tokens of the prompt whose speed was measured
 * @param decodedTokens tokens computed one by one to measure the speed
 * @param threads that computed
 * @param imatrix where the importance matrix of the IQ types is from; empty if none was needed
 * @param rows a row for each file type
 */
public record TableReport(
        String model,
        int contextLength,
        int promptTokens,
        int decodedTokens,
        int threads,
        String imatrix,
        List<TableRow> rows) {

    /** Copies the list. */
    public TableReport {
        rows = List.copyOf(rows);
    }

    /** A table in Markdown, with a line on how it was measured. */
    public String markdown() {
        StringBuilder text = new StringBuilder();
        text.append(
                "| type | size (MB) | BPW | perplexity | ln(PPL/PPL(base)) | KL divergence | same top token | prompt t/s |"
                        + " decode t/s |\n");
        text.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
        for (TableRow row : rows) {
            text.append(String.format(
                    Locale.ROOT,
                    "| %s | %.1f | %.2f | %s | %s | %s | %.2f %% | %.1f | %.1f |\n",
                    row.type(),
                    row.fileBytes() / 1e6,
                    row.bitsPerWeight(),
                    text(row.perplexity(), "%.4f ± %.4f"),
                    text(row.logPerplexityRatio(), "%.5f ± %.5f"),
                    text(row.divergence(), "%.5f ± %.5f"),
                    100 * row.sameTop().value(),
                    row.promptSpeed(),
                    row.decodeSpeed()));
        }
        text.append(String.format(
                Locale.ROOT,
                "\n%s; perplexity at a context of %d tokens; speed of a prompt of %d tokens and of %d tokens one by one,"
                        + " %d threads%s\n",
                model,
                contextLength,
                promptTokens,
                decodedTokens,
                threads,
                imatrix.isEmpty() ? "" : "; importance matrix of the IQ types: " + imatrix));
        String undecided = undecided();
        if (!undecided.isEmpty()) {
            text.append("\nOn this text, perplexity does not show ")
                    .append(undecided)
                    .append(" to be worse than the model itself: ln(PPL/PPL(base)) is below twice its error.\n");
        }
        return text.toString();
    }

    /** The types that a text has too few tokens for, or favours by chance. */
    private String undecided() {
        return rows.stream()
                .filter(row -> row.logPerplexityRatio().value()
                        < 2 * row.logPerplexityRatio().error())
                .map(TableRow::type)
                .collect(Collectors.joining(", "));
    }

    private static String text(Estimate estimate, String format) {
        return String.format(Locale.ROOT, format, estimate.value(), estimate.error());
    }

    /** The same in JSON: one object. */
    public String json() {
        JsonObject root = new JsonObject();
        root.addProperty("model", model);
        root.addProperty("context", contextLength);
        root.addProperty("prompt_tokens", promptTokens);
        root.addProperty("decoded_tokens", decodedTokens);
        root.addProperty("threads", threads);
        root.addProperty("imatrix", imatrix);
        JsonArray array = new JsonArray();
        rows.forEach(row -> array.add(TableState.json(row)));
        root.add("rows", array);
        return TableState.GSON.toJson(root) + "\n";
    }

    /**
     * Draws perplexity against size; see {@link Chart#write}. The error bars are those of the difference from the base: that of
     * the choice of text is the same for all types, and hides how they differ. Types that quantization broke, so that their
     * perplexity is no finite number, are left out; where there are no others, there is no picture.
     */
    public void draw(Path file) {
        List<Chart.Point> points = rows.stream()
                .filter(row -> Double.isFinite(row.perplexity().value()))
                .sorted(Comparator.comparingLong(TableRow::fileBytes))
                .map(row -> new Chart.Point(
                        row.fileBytes() / 1e6,
                        row.perplexity().value(),
                        finite(row.perplexity().value()
                                * row.logPerplexityRatio().error()),
                        row.type()))
                .toList();
        if (points.isEmpty()) {
            return;
        }
        double error = rows.stream()
                .mapToDouble(row -> finite(row.perplexity().error()))
                .max()
                .orElse(0);
        Chart.builder(
                        model + ", context of " + contextLength + " tokens",
                        "size (MB)",
                        String.format(
                                Locale.ROOT,
                                "perplexity (bars: against the base; all ± %.2f by the choice of text)",
                                error))
                .curve("perplexity", points)
                .build()
                .write(file);
    }

    private static double finite(double value) {
        return Double.isFinite(value) ? value : 0;
    }
}
