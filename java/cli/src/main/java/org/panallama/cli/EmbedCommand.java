package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.panallama.ContextOptions;
import org.panallama.Embedder;
import org.panallama.Model;
import org.panallama.Pooling;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Turns texts into vectors. */
@Command(
        name = "embed",
        customSynopsis = "panallama embed (TEXT... | -f FILE) [OPTIONS]",
        description = "Turns texts into vectors: a line of numbers for each.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama embed -m bge-m3.gguf \"巴黎在哪里？\" \"Where is Paris?\"",
            "  panallama embed -m bge-m3.gguf -f texts.txt --json"
        })
final class EmbedCommand implements Callable<Integer> {

    private final Streams streams;

    @ArgGroup(multiplicity = "1")
    private Source source = new Source();

    @Mixin
    private ModelArguments modelArguments;

    @Option(
            names = "--pooling",
            paramLabel = "KIND",
            description =
                    "How the vectors of a text's tokens become one: mean, cls, last, or none for a line for each token"
                            + " (default: as the model says, mean if it says nothing).")
    private @Nullable Pooling pooling;

    @Option(names = "--no-normalize", description = "Leave the vectors' lengths as they are, instead of scaling to 1.")
    private boolean noNormalize;

    @Option(
            names = {"-c", "--ctx"},
            paramLabel = "N",
            description = "Longest text in tokens (default: 512).")
    private @Nullable Integer longest;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "CPU threads (default: one for each core).")
    private @Nullable Integer threads;

    @Option(names = "--json", description = "Print {\"size\":…,\"pooling\":…,\"embeddings\":[[…],…]}.")
    private boolean json;

    @Mixin(name = "common")
    private CommonOptions common;

    EmbedCommand(Streams streams) {
        this.streams = streams;
    }

    /** The texts, given in one of two ways. */
    static final class Source {

        @Parameters(arity = "1..*", paramLabel = "TEXT", description = "A text.")
        private @Nullable List<String> texts;

        @Option(
                names = {"-f", "--file"},
                paramLabel = "FILE",
                description = "File with a text in each line, - for stdin.")
        private @Nullable String file;
    }

    @Override
    public Integer call() {
        List<String> texts = texts();
        try (Model model = modelArguments.load(ContextOptions.defaults(), streams);
                Embedder embedder = embedder(model)) {
            List<float[]> vectors = new ArrayList<>();
            if (embedder.pooling() == Pooling.NONE) {
                texts.forEach(text -> vectors.addAll(embedder.embedTokens(text)));
            } else {
                vectors.addAll(embedder.embed(texts));
            }
            print(embedder, vectors);
        }
        return 0;
    }

    private List<String> texts() {
        if (source.file == null) {
            return source.texts == null ? List.of() : source.texts;
        }
        List<String> lines = TextFile.read(source.file, streams.in()).lines().toList();
        if (lines.isEmpty()) {
            throw new IllegalArgumentException("-f " + source.file + ": there is no text in it");
        }
        return lines;
    }

    private Embedder embedder(Model model) {
        Embedder.Builder builder = Embedder.builder(model).normalize(!noNormalize);
        if (pooling != null) {
            builder.pooling(pooling);
        }
        if (longest != null) {
            builder.microBatch(longest);
        }
        if (threads != null) {
            builder.threads(threads);
        }
        return builder.build();
    }

    private void print(Embedder embedder, List<float[]> vectors) {
        if (json) {
            streams.out().json(writer -> write(writer, embedder, vectors));
            return;
        }
        for (float[] vector : vectors) {
            StringBuilder line = new StringBuilder();
            for (float value : vector) {
                line.append(line.length() == 0 ? "" : " ").append(value);
            }
            streams.out().line(line.toString());
        }
        streams.out().flush();
    }

    private static void write(JsonWriter json, Embedder embedder, List<float[]> vectors) throws IOException {
        json.beginObject();
        json.name("size").value(embedder.size());
        json.name("pooling").value(embedder.pooling().name().toLowerCase(Locale.ROOT));
        json.name("embeddings").beginArray();
        for (float[] vector : vectors) {
            json.beginArray();
            for (float value : vector) {
                json.value(value);
            }
            json.endArray();
        }
        json.endArray();
        json.endObject();
    }
}
