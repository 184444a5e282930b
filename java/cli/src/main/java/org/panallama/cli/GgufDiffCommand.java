package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.panallama.gguf.GgufDiff;
import org.panallama.gguf.GgufDiff.Difference;
import org.panallama.gguf.GgufModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Compares two models. */
@Command(
        name = "diff",
        customSynopsis = "panallama gguf diff FIRST SECOND [OPTIONS]",
        description =
                "Compares two models: metadata, and tensors with their data; the order of either does not matter, nor"
                        + " how the models are split. The exit status is 0 if they are the same, 1 if they differ.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = "  panallama gguf diff model.gguf model-fixed.gguf")
final class GgufDiffCommand implements Callable<Integer> {

    private final Streams streams;

    @Parameters(index = "0", paramLabel = "FIRST", description = "GGUF file; of a split model, one of its files.")
    private Path first;

    @Parameters(index = "1", paramLabel = "SECOND", description = "GGUF file to compare it with.")
    private Path second;

    @Option(names = "--json", description = "Print one JSON array of the differences.")
    private boolean json;

    @Mixin(name = "common")
    private CommonOptions common;

    GgufDiffCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        GgufModel a = GgufModel.open(first);
        GgufModel b = GgufModel.open(second);
        List<Difference> differences = LongWork.run(streams, "comparing", progress -> GgufDiff.compare(a, b, progress));
        if (json) {
            streams.out().json(writer -> write(writer, differences));
        } else {
            differences.forEach(difference -> streams.out().line(text(difference)));
        }
        streams.out().flush();
        return differences.isEmpty() ? 0 : 1;
    }

    private static String text(Difference difference) {
        String name = Printable.escaped(difference.name());
        String message = Printable.escaped(difference.message());
        return switch (difference.kind()) {
            case FORMAT -> "byte order: " + message;
            case KEY_ONLY_IN_FIRST -> "key only in the first: " + name + " = " + message;
            case KEY_ONLY_IN_SECOND -> "key only in the second: " + name + " = " + message;
            case VALUE -> "value of " + name + ": " + message;
            case TENSOR_ONLY_IN_FIRST -> "tensor only in the first: " + name + " " + message;
            case TENSOR_ONLY_IN_SECOND -> "tensor only in the second: " + name + " " + message;
            case SHAPE -> "shape of " + name + ": " + message;
            case TYPE -> "type of " + name + ": " + message;
            case DATA -> "data of " + name + ": " + message;
        };
    }

    private static void write(JsonWriter writer, List<Difference> differences) throws IOException {
        writer.beginArray();
        for (Difference difference : differences) {
            writer.beginObject();
            writer.name("kind").value(difference.kind().name().toLowerCase(Locale.ROOT));
            writer.name("name").value(difference.name());
            writer.name("message").value(difference.message());
            writer.endObject();
        }
        writer.endArray();
    }
}
