package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.panallama.tools.chart.Chart;
import org.panallama.tools.perplexity.Estimate;
import org.panallama.tools.perplexity.KlDivergence;
import org.panallama.tools.perplexity.PerplexityResult;
import org.panallama.tools.perplexity.Spread;

/** Perplexities as they are measured: lines of text at once, or JSON in the end. */
final class PerplexityReport {

    private static final double[] SHARES = {0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999};

    private final Output out;
    private final boolean json;
    private final List<Row> rows = new ArrayList<>();

    PerplexityReport(Output out, boolean json) {
        this.out = out;
        this.json = json;
    }

    private record Row(
            String model,
            @Nullable String text,
            PerplexityResult result,
            @Nullable KlDivergence divergence) {}

    void add(Path model, String text, PerplexityResult result) {
        add(new Row(name(model), name(Path.of(text)), result, null));
    }

    void add(Path model, KlDivergence divergence) {
        add(new Row(name(model), null, divergence.result(), divergence));
    }

    private static String name(Path file) {
        return String.valueOf(file.getFileName());
    }

    private void add(Row row) {
        rows.add(row);
        if (json) {
            return;
        }
        PerplexityResult result = row.result;
        out.line(String.format(
                Locale.ROOT,
                "%s%s, context %d%s: perplexity %s (%d windows, %d tokens)",
                row.model,
                row.text == null ? "" : ", " + row.text,
                result.contextLength(),
                result.stride() == 0 ? "" : " with stride " + result.stride(),
                text(result.perplexity(), "%.4f ± %.4f"),
                result.windows(),
                result.tokens()));
        if (row.divergence != null) {
            print(row.divergence);
        }
        out.flush();
    }

    private void print(KlDivergence divergence) {
        line("base's perplexity", divergence.basePerplexity(), 1, "%.4f ± %.4f");
        line("perplexity ratio", divergence.perplexityRatio(), 1, "%.6f ± %.6f");
        line("mean KL divergence", divergence.divergence(), 1, "%.6f ± %.6f");
        Spread spread = divergence.divergences();
        out.line(String.format(
                Locale.ROOT,
                "  %-22s median %.6f, 90 %% %.6f, 99 %% %.6f, 99.9 %% %.6f, max %.6f",
                "KL divergence",
                spread.median(),
                spread.quantile(0.9),
                spread.quantile(0.99),
                spread.quantile(0.999),
                spread.max()));
        line("mean Δp", divergence.probabilityChange(), 100, "%.3f ± %.3f %%");
        line("RMS Δp", divergence.rmsProbabilityChange(), 100, "%.3f ± %.3f %%");
        line("same top token", divergence.sameTop(), 100, "%.3f ± %.3f %%");
    }

    private void line(String name, Estimate estimate, double unit, String format) {
        Estimate scaled = new Estimate(estimate.value() * unit, estimate.error() * unit);
        out.line(String.format(Locale.ROOT, "  %-22s %s", name, text(scaled, format)));
    }

    private static String text(Estimate estimate, String format) {
        return String.format(Locale.ROOT, format, estimate.value(), estimate.error());
    }

    void finish() {
        if (json) {
            out.json(this::write);
        }
    }

    private void write(JsonWriter writer) throws IOException {
        writer.beginArray();
        for (Row row : rows) {
            PerplexityResult result = row.result;
            writer.beginObject();
            writer.name("model").value(row.model);
            if (row.text != null) {
                writer.name("text").value(row.text);
            }
            writer.name("context").value(result.contextLength());
            writer.name("stride").value(result.stride());
            writer.name("windows").value(result.windows());
            writer.name("tokens").value(result.tokens());
            write(writer, "mean_nll", result.meanNll());
            write(writer, "perplexity", result.perplexity());
            if (row.divergence != null) {
                write(writer, row.divergence);
            }
            writer.endObject();
        }
        writer.endArray();
    }

    private static void write(JsonWriter writer, KlDivergence divergence) throws IOException {
        write(writer, "base_perplexity", divergence.basePerplexity());
        write(writer, "perplexity_ratio", divergence.perplexityRatio());
        writer.name("correlation").value(finite(divergence.correlation()));
        write(writer, "kl_divergence", divergence.divergence());
        write(writer, "kl_divergence_quantiles", divergence.divergences());
        write(writer, "probability_change", divergence.probabilityChange());
        write(writer, "probability_change_rms", divergence.rmsProbabilityChange());
        write(writer, "probability_change_quantiles", divergence.probabilityChanges());
        write(writer, "same_top", divergence.sameTop());
    }

    private static void write(JsonWriter writer, String name, Estimate estimate) throws IOException {
        writer.name(name).value(finite(estimate.value()));
        writer.name(name + "_error").value(finite(estimate.error()));
    }

    private static void write(JsonWriter writer, String name, Spread spread) throws IOException {
        writer.name(name).beginObject();
        writer.name("min").value(finite(spread.min()));
        for (double share : SHARES) {
            writer.name(String.valueOf(share)).value(finite(spread.quantile(share)));
        }
        writer.name("max").value(finite(spread.max()));
        writer.endObject();
    }

    /** JSON has no word for what is not finite. */
    private static @Nullable Double finite(double value) {
        return Double.isFinite(value) ? value : null;
    }

    /** Perplexity against context length, a curve for each model and text. */
    void plot(Path file) {
        boolean oneModel = rows.stream().map(Row::model).distinct().count() == 1;
        boolean oneText = rows.stream().map(Row::text).distinct().count() == 1;
        Map<String, List<Chart.Point>> curves = new LinkedHashMap<>();
        for (Row row : rows) {
            Estimate perplexity = row.result.perplexity();
            String name = oneModel ? row.text : oneText ? row.model : row.model + ", " + row.text;
            curves.computeIfAbsent(String.valueOf(name), key -> new ArrayList<>())
                    .add(new Chart.Point(row.result.contextLength(), perplexity.value(), perplexity.error(), ""));
        }
        Row first = rows.get(0);
        String title = oneModel && oneText ? first.model + ", " + first.text : oneModel ? first.model : "Perplexity";
        Chart.Builder chart = Chart.builder(title, "context length (tokens)", "perplexity");
        curves.forEach(chart::curve);
        chart.build().write(file);
    }
}
