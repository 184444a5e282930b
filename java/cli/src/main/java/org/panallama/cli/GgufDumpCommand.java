package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufTensor;
import org.panallama.gguf.GgufValue;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Prints what a file's header says. */
@Command(
        name = "dump",
        customSynopsis = "panallama gguf dump FILE [OPTIONS]",
        description = "Prints a file's metadata and, on request, its tensors. Reads the header only.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama gguf dump model.gguf --tensors",
            "  panallama gguf dump model.gguf --key tokenizer.chat_template > template.jinja"
        })
final class GgufDumpCommand implements Callable<Integer> {

    private final Streams streams;

    @Parameters(paramLabel = "FILE", description = "GGUF file.")
    private Path path;

    @Option(names = "--tensors", description = "List every tensor, too.")
    private boolean tensors;

    @Option(
            names = "--key",
            paramLabel = "KEY",
            description = "Print the value of this key only, in full and as it is; an array's elements line by line.")
    private @Nullable String key;

    @Option(names = "--json", description = "Print one JSON value.")
    private boolean json;

    @Mixin(name = "common")
    private CommonOptions common;

    GgufDumpCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        GgufFile file = GgufFile.open(path);
        if (key != null) {
            printValue(file, key);
        } else if (json) {
            streams.out().json(writer -> write(writer, file));
        } else {
            print(file);
        }
        streams.out().flush();
        return 0;
    }

    private void printValue(GgufFile file, String wanted) {
        GgufValue value = file.metadata().get(wanted);
        if (value == null) {
            throw new IllegalArgumentException(path + " has no metadata key '" + wanted + "'");
        }
        if (json) {
            streams.out().json(writer -> GgufValueText.writeValue(writer, value, Integer.MAX_VALUE));
            return;
        }
        for (int i = 0; i < value.length(); i++) {
            streams.out().line(GgufValueText.element(value, i));
        }
    }

    private void print(GgufFile file) {
        Output out = streams.out();
        out.line("GGUF version " + file.version() + ", " + order(file) + ", alignment " + file.alignment()
                + ", data from byte " + file.dataOffset() + " of " + file.size());
        out.line("");
        out.line("Metadata (" + file.metadata().size() + ")");
        file.metadata()
                .forEach((name, value) -> out.line("  " + Printable.escaped(name) + " (" + GgufValueText.type(value)
                        + ") = " + GgufValueText.line(value)));
        out.line("");
        if (!tensors) {
            Map<String, Long> counts = file.tensors().stream()
                    .collect(Collectors.groupingBy(
                            tensor -> tensor.ggmlType().name(), TreeMap::new, Collectors.counting()));
            out.line("Tensors (" + file.tensors().size() + "): "
                    + counts.entrySet().stream()
                            .map(e -> e.getValue() + " " + e.getKey())
                            .collect(Collectors.joining(", ")));
            return;
        }
        out.line("Tensors (" + file.tensors().size() + "): name, type, shape, bytes, offset in the file");
        for (GgufTensor tensor : file.tensors()) {
            out.line("  " + Printable.escaped(tensor.name()) + "  " + tensor.ggmlType() + "  " + tensor.shape() + "  "
                    + tensor.bytes() + "  " + file.offset(tensor));
        }
    }

    private void write(JsonWriter writer, GgufFile file) throws IOException {
        writer.beginObject();
        writer.name("version").value(file.version());
        writer.name("byte_order").value(order(file));
        writer.name("alignment").value(file.alignment());
        writer.name("data_offset").value(file.dataOffset());
        writer.name("size").value(file.size());
        writer.name("metadata").beginObject();
        for (Map.Entry<String, GgufValue> entry : file.metadata().entrySet()) {
            writer.name(entry.getKey());
            GgufValueText.write(writer, entry.getValue());
        }
        writer.endObject();
        writer.name("tensor_count").value(file.tensors().size());
        if (tensors) {
            writer.name("tensors").beginArray();
            for (GgufTensor tensor : file.tensors()) {
                writer.beginObject();
                writer.name("name").value(tensor.name());
                writer.name("type").value(tensor.ggmlType().name());
                writer.name("shape").beginArray();
                for (long dimension : tensor.shape()) {
                    writer.value(dimension);
                }
                writer.endArray();
                writer.name("bytes").value(tensor.bytes());
                writer.name("offset").value(file.offset(tensor));
                writer.endObject();
            }
            writer.endArray();
        }
        writer.endObject();
    }

    private static String order(GgufFile file) {
        return file.order() == ByteOrder.BIG_ENDIAN ? "big-endian" : "little-endian";
    }
}
