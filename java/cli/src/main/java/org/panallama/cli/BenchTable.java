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
        out.line(
                "| model | size | params | threads | kernels | test | t/s | ratio | GB/s | multiply-adds/s | of the limit |");
        out.line("| --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
        for (BenchResult result : report.results()) {
            out.line(String.format(
                    Locale.ROOT,
                    "| %s | %s | %s | %d | %s (%s) | %s | %.2f ± %.2f | %.2f | %s | %s | %s |",
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
                    number("%.1f", report.bandwidth(result), 1e-9),
                    number("%.0f G", report.multiplyAdds(result), 1e-9),
                    number("%.0f %%", report.share(result), 100)));
        }
        out.line("");
        out.line(String.format(
                Locale.ROOT,
                "llama.cpp %s; memory read at %.1f GB/s by %d threads; a generated token reads %s of weights",
                report.llamaVersion(),
                report.readBandwidth() / 1e9,
                report.threads(),
                Printable.bytes(report.bytesPerToken())));
        if (report.peakMultiplyAdds().isPresent()) {
            out.line(String.format(
                    Locale.ROOT,
                    "%d threads can do %.0f G multiply-adds of bytes a second",
                    report.threads(),
                    report.peakMultiplyAdds().getAsDouble() / 1e9));
        }
        report.scratchBytes()
                .forEach((side, bytes) -> out.line(
                        "scratch memory of the " + side + " kernels for the context: " + Printable.bytes(bytes)));
    }

    private static String number(String format, OptionalDouble value, double factor) {
        return value.isEmpty() ? "" : String.format(Locale.ROOT, format, value.getAsDouble() * factor);
    }
}
