package org.panallama.cli;

import org.jspecify.annotations.Nullable;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.Model;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The context's size and threads. */
final class ContextArguments {

    @Option(
            names = {"-c", "--ctx"},
            paramLabel = "N",
            description = "Context length in tokens, prompt and answer together; 0 for as long as the model was trained"
                    + " for (default: 4096, or that if it is less).")
    private @Nullable Integer length;

    @Mixin
    private ComputeArguments compute;

    /** The options, checked, but for the length of a model that is not loaded yet. */
    ContextOptions.Builder options() {
        ContextOptions.Builder options = compute.options();
        if (length != null && length != 0) {
            options.length(length);
        }
        return options;
    }

    Context open(Model model, ContextOptions.Builder options) {
        if (length != null && length == 0) {
            options.length(model.trainContextLength());
        }
        return model.newContext(options.build());
    }
}
