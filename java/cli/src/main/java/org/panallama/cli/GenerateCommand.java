package org.panallama.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.panallama.Context;
import org.panallama.ContextOptions;
import org.panallama.Generation;
import org.panallama.GenerationOptions;
import org.panallama.Model;
import org.panallama.Sampler;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Continues a prompt. */
@Command(
        name = "generate",
        customSynopsis = "panallama generate (-p TEXT | -f FILE) [OPTIONS]",
        description = "Continues a prompt. The text goes to stdout, without a space in front; timings go to stderr.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama generate -p \"[INST] 法国的英文名是什么？ [/INST]\" --temp 0",
            "  panallama generate -m model.gguf -f prompt.txt -n 256 --seed 42",
            "  panallama generate -p \"[INST] Is 7 a prime? [/INST]\" --grammar-file yes-no.gbnf --json"
        })
final class GenerateCommand implements Callable<Integer> {

    private static final int NO_LIMIT = -1;

    private final Streams streams;

    @ArgGroup(multiplicity = "1")
    private Prompt prompt = new Prompt();

    @Mixin
    private ModelArguments modelArguments;

    @Option(
            names = {"-n", "--max-tokens"},
            paramLabel = "N",
            description = "Most tokens to generate; -1 for as many as fit the context (default: ${DEFAULT-VALUE}).")
    private int maxTokens = NO_LIMIT;

    @Mixin
    private SamplingArguments sampling;

    @Option(
            names = "--stop",
            paramLabel = "TEXT",
            description = "Text that ends the generation and is not part of it. May be repeated.")
    private List<String> stop = new ArrayList<>();

    @Option(names = "--ignore-eos", description = "Go on where the model would end its answer.")
    private boolean ignoreEos;

    @Mixin
    private ContextArguments contextArguments;

    @Option(
            names = "--logprobs",
            arity = "0..1",
            paramLabel = "N",
            fallbackValue = "0",
            description =
                    "Report the log-probability of each token, with the N likeliest at its place: on stderr, or in"
                            + " the JSON.")
    private @Nullable Integer logprobs;

    @Option(
            names = "--json",
            description =
                    "Print one JSON object when all is done: text, tokens, finish_reason, seed, usage, timings,"
                            + " logprobs. finish_reason is end_of_generation, stop_string, max_tokens, context_full or cancelled.")
    private boolean json;

    @Mixin(name = "common")
    private CommonOptions common;

    GenerateCommand(Streams streams) {
        this.streams = streams;
    }

    /** The prompt, given in one of two ways. */
    static final class Prompt {

        @Option(
                names = {"-p", "--prompt"},
                paramLabel = "TEXT",
                description = "The text to continue.")
        private @Nullable String text;

        @Option(
                names = {"-f", "--file"},
                paramLabel = "FILE",
                description = "File with that text, - for stdin. A line feed at its end is dropped.")
        private @Nullable String file;
    }

    @Override
    public Integer call() {
        // Everything is checked before a big model is loaded.
        GenerationOptions options = options();
        ContextOptions.Builder contextOptions = contextArguments.options();
        Map<Path, Float> adapters = modelArguments.adapters();
        String text = promptText();
        long start = System.nanoTime();
        try (Interruption interruption = new Interruption();
                Sampler sampler = sampling.sampler();
                Model model = load(interruption);
                Context context = contextArguments.open(model, contextOptions)) {
            modelArguments.addAdapters(context, adapters);
            Duration loadTime = Duration.ofNanos(System.nanoTime() - start);
            Generation generation = context.generate(text, sampler, options);
            interruption.cancels(generation::cancel);
            if (json) {
                String answer = withoutLeadingSpace(generation.text());
                streams.out().json(new GenerationJson(answer, generation, sampling.seed(), loadTime, logprobs != null));
            } else {
                stream(generation);
            }
            GenerationReport report = new GenerationReport(streams.err());
            if (!json) {
                report.logprobs(generation.logprobs());
            }
            report.loadTime(loadTime);
            report.timings(generation);
        }
        return 0;
    }

    private GenerationOptions options() {
        GenerationOptions.Builder options =
                GenerationOptions.builder().stop(stop).ignoreEndOfGeneration(ignoreEos);
        if (maxTokens != NO_LIMIT) {
            options.maxTokens(maxTokens);
        }
        if (logprobs != null) {
            options.logprobs(logprobs);
        }
        return options.build();
    }

    private String promptText() {
        return prompt.file == null
                ? Objects.requireNonNull(prompt.text)
                : TextFile.withoutLastLineFeed(TextFile.read(prompt.file, streams.in()));
    }

    private Model load(Interruption interruption) {
        try (LoadingBar bar = new LoadingBar(streams.err(), interruption)) {
            return modelArguments.load(bar);
        }
    }

    /** Prints each piece as it comes, and a line feed at the end if there is none. */
    private void stream(Generation generation) {
        Output out = streams.out();
        String last = "";
        boolean first = true;
        for (String piece : generation) {
            out.print(first ? withoutLeadingSpace(piece) : piece);
            out.flush();
            first = false;
            last = piece;
        }
        if (!last.endsWith("\n")) {
            out.print("\n");
            out.flush();
        }
    }

    /** Tokens carry the space in front of a word, so that an answer begins with the one between it and the prompt. */
    private static String withoutLeadingSpace(String text) {
        return text.startsWith(" ") ? text.substring(1) : text;
    }
}
