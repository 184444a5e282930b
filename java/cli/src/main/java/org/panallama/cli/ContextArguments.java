package org.panallama.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.panallama.ContextOptions;
import org.panallama.fit.ModelMemory;
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

    @Option(names = "--no-kv-offload", description = "Keep the KV cache in main memory, whatever layers the GPU has.")
    private boolean noKvOffload;

    /** The options, checked, for the model in a file. */
    ContextOptions.Builder options(Path model) {
        ContextOptions.Builder options = compute.options().offloadKv(!noKvOffload);
        if (length != null) {
            long tokens = length == 0 ? ModelMemory.read(model).trainedLength() : length;
            options.length((int) Math.min(tokens, Integer.MAX_VALUE));
        }
        return options;
    }
}
