package org.panallama.cli;

import java.nio.file.Path;
import java.time.Duration;
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

    private final Streams streams;

    @ArgGroup(multiplicity = "1")
    private Prompt prompt = new Prompt();

    @Mixin
    private ModelArguments modelArguments;

    @Mixin
    private LengthArguments length;

    @Mixin
    private SamplingArguments sampling;

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
        ContextOptions contextOptions =
                contextArguments.options(modelArguments.path()).build();
        Map<Path, Float> adapters = modelArguments.adapters();
        String text = promptText();
        long start = System.nanoTime();
        try (Interruption interruption = new Interruption(streams.signals());
                Sampler sampler = sampling.sampler();
                Model model = modelArguments.load(contextOptions, streams.err(), interruption);
                Context context = model.newContext(contextOptions)) {
            modelArguments.addAdapters(context, adapters);
            Duration loadTime = Duration.ofNanos(System.nanoTime() - start);
            Generation generation = context.generate(text, sampler, options);
            interruption.cancels(generation::cancel);
            if (json) {
                String answer = generation.text();
                streams.out().json(new GenerationJson(answer, generation, sampling.seed(), loadTime, logprobs != null));
            } else {
                streams.out().stream(generation);
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
        GenerationOptions.Builder options = length.options();
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
}
