package org.panallama.cli;

import org.jspecify.annotations.Nullable;
import org.panallama.ContextOptions;
import picocli.CommandLine.Option;

/** The threads that compute, and the number formats of the KV cache. */
final class ComputeArguments {

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

    KvTypes kvTypes() {
        return kvTypes;
    }

    /** 0 for the default. */
    int threads() {
        return threads == null ? 0 : threads;
    }

    /** The options, checked. */
    ContextOptions.Builder options() {
        ContextOptions.Builder options = ContextOptions.builder().kvTypes(kvTypes.keys(), kvTypes.values());
        return threads == null ? options : options.threads(threads);
    }
}
