package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.panallama.gguf.GgufHash;
import org.panallama.gguf.GgufHash.Algorithm;
import org.panallama.gguf.GgufModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Prints hashes of a model. */
@Command(
        name = "hash",
        customSynopsis = "panallama gguf hash FILE [OPTIONS]",
        description =
                "Prints the hash of each tensor, of all tensors together, and of the metadata. They do not depend on"
                        + " the order of the metadata or on how the model is split; those of tensors are what"
                        + " llama.cpp's gguf-hash prints.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {"  panallama gguf hash model.gguf", "  panallama gguf hash model.gguf --no-layer --algorithm sha1"})
final class GgufHashCommand implements Callable<Integer> {

    private final Streams streams;

    @Parameters(paramLabel = "FILE", description = "GGUF file; of a split model, one of its files.")
    private Path path;

    @Option(
            names = "--algorithm",
            paramLabel = "NAME",
            defaultValue = "sha256",
            description = "sha256 or sha1 (default: ${DEFAULT-VALUE}).")
    private Algorithm algorithm;

    @Option(names = "--no-layer", description = "Leave out the single tensors.")
    private boolean noLayer;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Mixin(name = "common")
    private CommonOptions common;

    GgufHashCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        GgufModel model = GgufModel.open(path);
        GgufHash hash = LongWork.run(streams, "hashing", progress -> GgufHash.of(model, algorithm, progress));
        if (json) {
            streams.out().json(writer -> write(writer, hash));
            return 0;
        }
        String front = String.format(Locale.ROOT, "%-8s", algorithm.name().toLowerCase(Locale.ROOT)) + "  ";
        if (!noLayer) {
            hash.tensors()
                    .forEach((name, one) ->
                            streams.out().line(front + one + "  " + path + ":" + Printable.escaped(name)));
        }
        streams.out().line(front + hash.data() + "  " + path);
        streams.out().line(front + hash.metadata() + "  " + path + " (metadata)");
        streams.out().flush();
        return 0;
    }

    private void write(JsonWriter writer, GgufHash hash) throws IOException {
        writer.beginObject();
        writer.name("algorithm").value(algorithm.name().toLowerCase(Locale.ROOT));
        writer.name("data").value(hash.data());
        writer.name("metadata").value(hash.metadata());
        if (!noLayer) {
            writer.name("tensors").beginObject();
            for (Map.Entry<String, String> tensor : hash.tensors().entrySet()) {
                writer.name(tensor.getKey()).value(tensor.getValue());
            }
            writer.endObject();
        }
        writer.endObject();
    }
}
