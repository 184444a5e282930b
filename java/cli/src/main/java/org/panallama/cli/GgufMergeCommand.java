package org.panallama.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.panallama.gguf.GgufModel;
import org.panallama.gguf.GgufSplitter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Merges a split model. */
@Command(
        name = "merge",
        customSynopsis = "panallama gguf merge FILE -o FILE",
        description = "Merges a model that is split over several files into one.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = "  panallama gguf merge model-00001-of-00005.gguf -o model.gguf")
final class GgufMergeCommand implements Callable<Integer> {

    private final Streams streams;

    @Parameters(paramLabel = "FILE", description = "One of the files; the others lie beside it.")
    private Path path;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            required = true,
            description = "File to write.")
    private Path output;

    @Mixin(name = "common")
    private CommonOptions common;

    GgufMergeCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        GgufModel model = GgufModel.open(path);
        LongWork.run(streams, "merging", progress -> {
            GgufSplitter.merge(model, output, progress);
            return output;
        });
        streams.err()
                .println("wrote " + output + " from " + model.files().size() + " files, "
                        + model.tensors().size() + " tensors");
        return 0;
    }
}
