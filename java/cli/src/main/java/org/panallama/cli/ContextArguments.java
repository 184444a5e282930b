package org.panallama.cli;

import org.jspecify.annotations.Nullable;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.Model;
import picocli.CommandLine.Option;

/** The context's size and threads. */
final class ContextArguments {

    @Option(
            names = {"-c", "--ctx"},
            paramLabel = "N",
            description = "Context length in tokens, prompt and answer together; 0 for as long as the model was trained"
                    + " for (default: 4096, or that if it is less).")
    private @Nullable Integer length;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "CPU threads (default: one for each core).")
    private @Nullable Integer threads;

    @Option(
            names = "--kv-type",
            paramLabel = "TYPE[,TYPE]",
            defaultValue = KvTypes.DEFAULT,
            converter = KvTypes.Converter.class,
            description =
                    "Number format of the KV cache, or of its keys and its values: f32, f16, bf16, q8_0, q5_1, q5_0,"
                            + " q4_1, q4_0, iq4_nl (default: ${DEFAULT-VALUE}).")
    private KvTypes kvTypes;

    /** The options, checked, but for the length of a model that is not loaded yet. */
    ContextOptions.Builder options() {
        ContextOptions.Builder options = ContextOptions.builder().kvTypes(kvTypes.keys(), kvTypes.values());
        if (length != null && length != 0) {
            options.length(length);
        }
        if (threads != null) {
            options.threads(threads);
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
