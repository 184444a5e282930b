package org.panallama.cli;

import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.panallama.TensorType;
import org.panallama.tiny.TinyModel;
import org.panallama.tools.ModelShape;
import org.panallama.tools.Synth;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes a model of random weights. */
@Command(
        name = "synth",
        customSynopsis = "panallama synth --shape NAME -o FILE [OPTIONS]",
        description =
                "Writes a model of random weights with the tensors of a well-known one, to measure speed and memory"
                        + " without a download: it loads and computes like that model, and says nothing.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama synth --shape mixtral-8x7b --layers 2 --type Q4_K -o mixtral.gguf",
            "  panallama synth --shape gpt-oss-20b --type MXFP4 -o gpt-oss.gguf"
        })
final class SynthCommand implements Callable<Integer> {

    private final Streams streams;

    @Option(
            names = "--shape",
            paramLabel = "NAME",
            required = true,
            description = "Whose tensors: mixtral-8x7b, qwen3-30b-a3b, gpt-oss-20b or llama-3-8b.")
    private String shape;

    @Option(
            names = "--layers",
            paramLabel = "N",
            defaultValue = "0",
            description = "Number of layers (default: as many as the model has).")
    private int layers;

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            defaultValue = "Q4_K",
            description = "Format of the matrices: F16, Q8_0, Q4_K, IQ2_XXS, MXFP4 or any other that llama.cpp has for"
                    + " weights (default: ${DEFAULT-VALUE}).")
    private TensorType type;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            required = true,
            description = "File to write.")
    private Path output;

    @Option(
            names = "--tokenizer",
            paramLabel = "FILE",
            description = "GGUF file to take the tokenizer from, extended to the vocabulary size of the shape (default:"
                    + " the tiny model that comes with the program).")
    private @Nullable Path tokenizer;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "42",
            description =
                    "Beginning of the random numbers; the same seed gives the same file (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Mixin(name = "common")
    private CommonOptions common;

    SynthCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        Synth synth = Synth.builder()
                .shape(ModelShape.of(shape))
                .layers(layers)
                .type(type)
                .tokenizer(tokenizer == null ? TinyModel.path() : tokenizer)
                .seed(seed)
                .build();
        long start = System.nanoTime();
        try (Interruption interruption = new Interruption(streams.signals());
                LoadingBar bar = new LoadingBar(streams.err(), interruption, "writing")) {
            synth.write(output, done -> {
                if (!bar.onProgress((float) done)) {
                    throw new CancellationException();
                }
            });
        }
        streams.err()
                .println(String.format(
                        Locale.ROOT,
                        "wrote %s: %s in %.1f s",
                        output,
                        Printable.bytes(synth.tensorBytes()),
                        (System.nanoTime() - start) / 1e9));
        return 0;
    }
}
