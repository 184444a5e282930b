package org.panallama.cli;

import org.jspecify.annotations.Nullable;
import org.panallama.ContextOptions;
import org.panallama.RopeScaling;
import picocli.CommandLine.Option;

/** How positions beyond the trained context are treated. */
final class RopeArguments {

    @Option(
            names = "--rope-scaling",
            paramLabel = "KIND",
            description = "How positions beyond the trained context are mapped into it: none, linear, yarn or longrope"
                    + " (default: as the model says).")
    private @Nullable RopeScaling scaling;

    @Option(names = "--rope-freq-base", paramLabel = "X", description = "RoPE base frequency (default: the model's).")
    private @Nullable Float base;

    @Option(
            names = "--rope-freq-scale",
            paramLabel = "X",
            description = "Factor on RoPE frequencies; 0.25 stretches the context to four times its length.")
    private @Nullable Float scale;

    @Option(
            names = "--yarn-orig-ctx",
            paramLabel = "N",
            description = "YaRN: context length that the model was trained for (default: as the model says).")
    private @Nullable Integer originalLength;

    void addTo(ContextOptions.Builder options) {
        if (scaling != null) {
            options.ropeScaling(scaling);
        }
        if (base != null) {
            options.ropeFrequencyBase(base);
        }
        if (scale != null) {
            options.ropeFrequencyScale(scale);
        }
        if (originalLength != null) {
            options.yarnOriginalLength(originalLength);
        }
    }
}
