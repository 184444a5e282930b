package org.panallama.cli;

import java.util.ArrayList;
import java.util.List;
import org.panallama.GenerationOptions;
import picocli.CommandLine.Option;

/** When a text ends. */
final class LengthArguments {

    private static final int NO_LIMIT = -1;

    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "N",
            description = "Most tokens to generate; -1 for as many as fit the context (default: ${DEFAULT-VALUE}).")
    private int maxTokens = NO_LIMIT;

    @Option(
            names = "--stop",
            paramLabel = "TEXT",
            description = "Text that ends the generation and is not part of it. May be repeated.")
    private List<String> stop = new ArrayList<>();

    @Option(names = "--ignore-eos", description = "Go on where the model would end its answer.")
    private boolean ignoreEos;

    /** The options, checked. */
    GenerationOptions.Builder options() {
        GenerationOptions.Builder options = GenerationOptions.builder()
                .stop(stop)
                .ignoreEndOfGeneration(ignoreEos)
                .stripLeadingSpace(true);
        return maxTokens == NO_LIMIT ? options : options.maxTokens(maxTokens);
    }
}
