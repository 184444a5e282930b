package org.panallama.cli;

import java.util.Locale;
import java.util.OptionalDouble;
import org.panallama.tools.BenchReport;
import org.panallama.tools.BenchResult;

/**
 * A benchmark as a table in Markdown.
 *
 * @param report what was measured
 */
record BenchTable(BenchReport report) {

    void print(Output out) {
        out.line("| model | size | params | threads | kernels | test | t/s | ratio | GB/s | of bandwidth |");
        out.line("| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: |");
        for (BenchResult result : report.results()) {
            OptionalDouble bandwidth = report.bandwidth(result);
            out.line(String.format(
                    Locale.ROOT,
                    "| %s | %s | %s | %d | %s (%s) | %s | %.2f ± %.2f | %.2f | %s | %s |",
                    report.modelType(),
                    Printable.bytes(report.modelBytes()),
                    Printable.parameters(report.modelParameters()),
                    report.threads(),
                    result.kernels(),
                    result.cpuVariant(),
                    result.test(),
                    result.meanTokensPerSecond(),
                    result.deviationOfTokensPerSecond(),
                    report.ratio(result),
                    bandwidth.isEmpty() ? "" : String.format(Locale.ROOT, "%.1f", bandwidth.getAsDouble() / 1e9),
                    bandwidth.isEmpty()
                            ? ""
                            : String.format(
                                    Locale.ROOT, "%.0f %%", 100 * bandwidth.getAsDouble() / report.readBandwidth())));
        }
        out.line("");
        out.line(String.format(
                Locale.ROOT,
                "llama.cpp %s; memory read at %.1f GB/s by %d threads; a generated token reads %s of weights",
                report.llamaVersion(),
                report.readBandwidth() / 1e9,
                report.threads(),
                Printable.bytes(report.bytesPerToken())));
    }
}
