package org.panallama.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.panallama.tiny.TinyModel;
import picocli.CommandLine.Option;

/** The model's file. */
final class ModelFileArgument {

    @Option(
            names = {"-m", "--model"},
            paramLabel = "FILE",
            description = "GGUF file; of a split model, the first part. Without it, the tiny model that comes with the"
                    + " program.")
    private @Nullable Path file;

    /** The file named, or the embedded model. */
    Path path() {
        return file == null ? TinyModel.path() : file;
    }

    boolean isEmbedded() {
        return file == null;
    }
}
