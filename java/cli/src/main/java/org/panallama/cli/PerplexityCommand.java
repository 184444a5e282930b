package org.panallama.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.panallama.ContextOptions;
import org.panallama.Model;
import org.panallama.tiny.TinyModel;
import org.panallama.tools.Progress;
import org.panallama.tools.chart.Chart;
import org.panallama.tools.internal.OutputPlace;
import org.panallama.tools.perplexity.Perplexity;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures how well models predict texts. */
@Command(
        name = "perplexity",
        customSynopsis = "panallama perplexity [-m FILE] -f FILE [OPTIONS]",
        description =
                "Measures the perplexity of a text, by llama.cpp's definition: of each window of the context's length,"
                        + " the second half counts. Several models, texts and contexts give all combinations.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama perplexity -m model.gguf -f wiki.txt -c 4096",
            "  panallama perplexity -m Q4_0.gguf -f a.txt -f b.txt -c 4096,16384,65536,131072 --plot ppl.png --plot ppl.svg",
            "  panallama perplexity -m F16.gguf -f wiki.txt --save-logits f16.kld",
            "  panallama perplexity -m Q4_K.gguf --kl-base f16.kld"
        })
final class PerplexityCommand implements Callable<Integer> {

    private final Streams streams;

    @Option(
            names = {"-m", "--model"},
            paramLabel = "FILE",
            description =
                    "GGUF file; of a split model, the first part. May be repeated. Without it, the tiny model that"
                            + " comes with the program.")
    private List<Path> models = new ArrayList<>();

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "UTF-8 text, - for stdin. May be repeated.")
    private List<String> texts = new ArrayList<>();

    @Option(
            names = {"-c", "--ctx"},
            paramLabel = "N",
            split = ",",
            description = "Context length in tokens; several are measured one after the other (default: 512).")
    private List<Integer> contexts = new ArrayList<>();

    @Option(
            names = "--stride",
            paramLabel = "N",
            defaultValue = "0",
            description = "Tokens between overlapping windows, of which the last N count; 0 for windows that do not"
                    + " overlap (default: ${DEFAULT-VALUE}).")
    private int stride;

    @Option(names = "--chunks", paramLabel = "N", description = "Most windows to measure (default: the whole text).")
    private @Nullable Integer windows;

    @Option(
            names = "--parse-special",
            description = "Recognise special tokens in the texts; without it, </s> is four characters, as in"
                    + " llama-perplexity.")
    private boolean parseSpecial;

    @Option(
            names = "--save-logits",
            paramLabel = "FILE",
            description =
                    "Save every prediction, for --kl-base. The format is that of llama-perplexity's"
                            + " --save-all-logits: a token of the second halves takes two bytes for each entry of the vocabulary.")
    private @Nullable Path saveLogits;

    @Option(
            names = "--kl-base",
            paramLabel = "FILE",
            description = "Compare with the predictions saved there, on their text and context length: KL divergence,"
                    + " same top token, ratio of perplexities.")
    private @Nullable Path base;

    @Option(
            names = "--plot",
            paramLabel = "FILE",
            description = "Draw perplexity against context length, with error bars, as .png or .svg. May be repeated.")
    private List<Path> plots = new ArrayList<>();

    @Option(
            names = {"-b", "--batch-size"},
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens computed at once; of shorter windows, as many as fit (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Mixin
    private ComputeArguments compute;

    @Mixin
    private RopeArguments rope;

    @Mixin
    private LoadArguments loading;

    @Option(names = "--json", description = "Print a JSON array with an object for each measurement.")
    private boolean json;

    @Mixin(name = "common")
    private CommonOptions common;

    PerplexityCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        check();
        if (saveLogits != null) {
            OutputPlace.requireOther(saveLogits, texts.stream().map(Path::of).toList());
        }
        // Everything is checked before a big model is loaded.
        List<Perplexity> measurements =
                contexts().stream().map(this::measurement).toList();
        Map<Path, Float> adapters = loading.adapters();
        List<String> contents = texts.stream()
                .map(name -> TextFile.withoutLastLineFeed(TextFile.read(name, streams.in())))
                .toList();
        PerplexityReport report = new PerplexityReport(streams.out(), json);
        try (Interruption interruption = new Interruption(streams.signals())) {
            for (Path file : models.isEmpty() ? List.of(TinyModel.path()) : models) {
                try (Model model = loading.load(file, longest(), streams.err(), interruption)) {
                    List<Perplexity> ready = adapters.isEmpty() ? measurements : withAdapters(model, adapters);
                    if (base != null) {
                        Path saved = base;
                        report.add(file, run(interruption, bar -> ready.get(0).compare(model, saved, bar)));
                        continue;
                    }
                    for (int i = 0; i < contents.size(); i++) {
                        String text = contents.get(i);
                        for (Perplexity perplexity : ready) {
                            report.add(
                                    file,
                                    texts.get(i),
                                    run(
                                            interruption,
                                            bar -> saveLogits == null
                                                    ? perplexity.measure(model, text, bar)
                                                    : perplexity.measureAndSave(model, text, saveLogits, bar)));
                        }
                    }
                }
            }
            report.finish();
            plots.forEach(report::plot);
        }
        return 0;
    }

    private <T> T run(Interruption interruption, Function<Progress, T> measurement) {
        return LongWork.run(streams, interruption, "measuring", progress -> measurement.apply(progress::test));
    }

    private void check() {
        if (base == null ? texts.isEmpty() : !texts.isEmpty() || !contexts.isEmpty() || stride != 0 || parseSpecial) {
            throw new IllegalArgumentException(
                    base == null
                            ? "there is no text to measure: give -f FILE"
                            : "--kl-base brings its own text and context length: leave out -f, -c, --stride and"
                                    + " --parse-special");
        }
        if (saveLogits != null && (base != null || models.size() > 1 || texts.size() > 1 || contexts.size() > 1)) {
            throw new IllegalArgumentException("--save-logits takes one model, one text and one context length");
        }
        if (base != null && !plots.isEmpty()) {
            throw new IllegalArgumentException(
                    "--plot draws perplexity against context length, --kl-base has one only");
        }
        plots.forEach(Chart::checkName);
    }

    private List<Integer> contexts() {
        return contexts.isEmpty() ? List.of(512) : contexts;
    }

    /** What a GPU has to have room for. */
    private ContextOptions longest() {
        return contextOptions().length(Collections.max(contexts())).build();
    }

    private Perplexity measurement(int context) {
        return builder(context).build();
    }

    private List<Perplexity> withAdapters(Model model, Map<Path, Float> adapters) {
        var loaded = LoadArguments.load(model, adapters);
        return contexts().stream()
                .map(context -> builder(context).adapters(loaded).build())
                .toList();
    }

    private Perplexity.Builder builder(int context) {
        contextOptions(); // checks the values now
        Perplexity.Builder builder = Perplexity.builder()
                .contextLength(context)
                .stride(stride)
                .batch(batch)
                .parseSpecial(parseSpecial)
                .options(this::contextOptions);
        return windows == null ? builder : builder.windows(windows);
    }

    private ContextOptions.Builder contextOptions() {
        ContextOptions.Builder options = compute.options();
        rope.addTo(options);
        return options;
    }
}
