package org.panallama.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.panallama.ContextOptions;
import org.panallama.Model;
import org.panallama.tools.imatrix.Imatrix;
import org.panallama.tools.imatrix.ImatrixCollector;
import org.panallama.tools.internal.OutputPlace;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Collects an importance matrix. */
@Command(
        name = "imatrix",
        customSynopsis = "panallama imatrix -m FILE -f TEXT -o FILE [OPTIONS]",
        description = "Collects an importance matrix: which columns of the weights a text makes most use of, for"
                + " 'panallama quantize' and llama-quantize. Prints how often each expert was reached, a line for each"
                + " layer.%n",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama imatrix -m mixtral.Q8_0.gguf -f calibration.txt -o mixtral.imatrix.gguf",
            "  panallama imatrix -m mixtral.Q8_0.gguf -f calibration.txt -o mixtral.imatrix.gguf --resume",
            "  panallama imatrix --in-file zh.gguf --in-file en.gguf -o both.gguf",
            "",
            "Ctrl-C saves what was collected; --resume goes on from there."
        })
final class ImatrixCommand implements Callable<Integer> {

    private final Streams streams;

    @Mixin
    private ModelArguments model;

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "UTF-8 text to evaluate, or - for stdin. Without it, the --in-file are only added up.")
    private @Nullable String text;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            required = true,
            description = "File to write, in llama.cpp's GGUF format.")
    private Path output;

    @Option(names = "--in-file", paramLabel = "FILE", description = "Importance matrix to add to. May be repeated.")
    private List<Path> inFiles = new ArrayList<>();

    @Option(names = "--resume", description = "Go on with -o, which an interrupted run of the same text left.")
    private boolean resume;

    @Option(
            names = {"-c", "--chunk-size"},
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens in a chunk of the text (default: ${DEFAULT-VALUE}).")
    private int chunkSize;

    @Option(
            names = "--chunk-from",
            paramLabel = "N",
            defaultValue = "0",
            description = "First chunk to evaluate, counted from 0 (default: ${DEFAULT-VALUE}).")
    private int firstChunk;

    @Option(names = "--chunks", paramLabel = "N", description = "Most chunks to evaluate (default: all).")
    private @Nullable Integer maxChunks;

    @Option(
            names = "--save-every",
            paramLabel = "N",
            defaultValue = "10",
            description = "Save after so many chunks (default: ${DEFAULT-VALUE}).")
    private int saveEvery;

    @Option(names = "--process-output", description = "Collect for the output matrix as well.")
    private boolean outputTensor;

    @Option(names = "--parse-special", description = "Recognise special tokens in the text.")
    private boolean parseSpecial;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "CPU threads (default: one for each core).")
    private @Nullable Integer threads;

    @Mixin(name = "common")
    private CommonOptions common;

    ImatrixCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        if (text != null) {
            OutputPlace.requireOther(output, List.of(Path.of(text)));
        }
        if (!model.adapters().isEmpty()) {
            throw new IllegalArgumentException(
                    "--lora: importance is collected for the model alone; merge the adapter into it");
        }
        if (resume && !inFiles.isEmpty()) {
            throw new IllegalArgumentException("--resume goes on with -o alone; what --in-file named is in it already");
        }
        Imatrix earlier = resume
                ? Imatrix.read(output)
                : inFiles.isEmpty()
                        ? null
                        : Imatrix.combined(inFiles.stream().map(Imatrix::read).toList());
        if (text == null) {
            if (earlier == null || resume) {
                throw new IllegalArgumentException("-f is missing: which text shall be evaluated?");
            }
            report(LongWork.run(streams, "writing", progress -> {
                earlier.write(output);
                return earlier;
            }));
            return 0;
        }
        String content = TextFile.read(text, streams.in());
        try (Interruption interruption = new Interruption(streams.signals());
                Model loaded = model.load(ContextOptions.defaults(), streams.err(), interruption)) {
            ImatrixCollector collector = collector(loaded, earlier);
            report(LongWork.run(
                    streams, interruption, "evaluating", progress -> collector.collect(content, progress::test)));
        }
        return 0;
    }

    private ImatrixCollector collector(Model loaded, @Nullable Imatrix earlier) {
        ImatrixCollector.Builder collector = ImatrixCollector.builder(loaded)
                .chunkSize(chunkSize)
                .firstChunk(firstChunk)
                .outputTensor(outputTensor)
                .parseSpecial(parseSpecial)
                .saveTo(output, saveEvery);
        if (text != null) {
            collector.dataset(
                    text.equals("-") ? "stdin" : Path.of(text).getFileName().toString());
        }
        if (maxChunks != null) {
            collector.maxChunks(maxChunks);
        }
        if (threads != null) {
            collector.threads(threads);
        }
        if (earlier != null && resume) {
            collector.resume(earlier);
        } else if (earlier != null) {
            collector.startFrom(earlier);
        }
        return collector.build();
    }

    private void report(Imatrix matrix) {
        PrintStream err = streams.err();
        for (Map.Entry<Integer, long[]> layer : matrix.expertCounts().entrySet()) {
            long[] counts = layer.getValue();
            streams.out()
                    .print("layer " + layer.getKey() + ": "
                            + LongStream.of(counts).mapToObj(Long::toString).collect(Collectors.joining(" ")) + "\n");
            List<Integer> unseen = IntStream.range(0, counts.length)
                    .filter(expert -> counts[expert] == 0)
                    .boxed()
                    .toList();
            if (!unseen.isEmpty()) {
                err.println("panallama: in layer " + layer.getKey() + ", the text never reached the experts " + unseen
                        + "; 'quantize --unseen-experts' says what they weigh");
            }
        }
        streams.out().flush();
        err.println(String.format(
                Locale.ROOT,
                "wrote %s: %d tensors, %d chunks of %d tokens",
                output,
                matrix.tensors().size(),
                matrix.chunkCount(),
                matrix.chunkSize()));
    }
}
