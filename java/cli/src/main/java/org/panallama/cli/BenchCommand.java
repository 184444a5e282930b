package org.panallama.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jline.terminal.spi.SystemStream;
import org.jspecify.annotations.Nullable;
import org.panallama.tools.Bench;
import org.panallama.tools.BenchReport;
import org.panallama.tools.Kernels;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures a model's speed. */
@Command(
        name = "bench",
        customSynopsis = "panallama bench [-m FILE] [OPTIONS]",
        description =
                "Measures how fast a model computes prompts (pp) and single tokens (tg) on the CPU, with llama.cpp's"
                        + " kernels and with Panallama's: each in its own process, taking turns. Prints a table in Markdown.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama bench -m model.gguf -p 512 -n 64 -t 8 -r 5",
            "  panallama bench -m model.gguf -p 128,512 -n 0 --kernels stock --json",
            "",
            "GB/s is what generating reads of the weights, multiply-adds/s what a prompt takes of quantized ones; the limit is",
            "what as many threads can read from memory, or multiply in registers, measured beforehand."
        })
final class BenchCommand implements Callable<Integer> {

    private final Streams streams;

    @Mixin
    private ModelFileArgument modelFile;

    @Option(
            names = {"-p", "--n-prompt"},
            paramLabel = "N",
            split = ",",
            defaultValue = "512",
            description =
                    "Tokens of the prompt; several lengths are several tests, 0 is none (default: ${DEFAULT-VALUE}).")
    private List<Integer> prompts = new ArrayList<>();

    @Option(
            names = {"-n", "--n-gen"},
            paramLabel = "N",
            split = ",",
            defaultValue = "64",
            description = "Tokens to compute one by one, in the same way (default: ${DEFAULT-VALUE}).")
    private List<Integer> generations = new ArrayList<>();

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "CPU threads (default: one for each core).")
    private @Nullable Integer threads;

    @Option(
            names = {"-r", "--repetitions"},
            paramLabel = "N",
            defaultValue = "5",
            description = "How often each test is run (default: ${DEFAULT-VALUE}).")
    private int repetitions;

    @Option(
            names = {"-b", "--batch-size"},
            paramLabel = "N",
            defaultValue = "2048",
            description = "Tokens in a batch (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = {"-ub", "--ubatch-size"},
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens computed at once (default: ${DEFAULT-VALUE}).")
    private int microBatch;

    @Option(
            names = "--kernels",
            paramLabel = "SIDE",
            split = ",",
            defaultValue = "stock,panallama",
            description =
                    "Whose kernels: stock, panallama or both; ratios are to the first (default: ${DEFAULT-VALUE}).")
    private List<Kernels> kernels = new ArrayList<>();

    @Option(
            names = "--json",
            description =
                    "Print a JSON array with llama-bench's fields, the kernels, the ratio, what was reached of the limits, and the"
                            + " kernels' scratch memory.")
    private boolean json;

    @Mixin(name = "common")
    private CommonOptions common;

    BenchCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        Bench.Builder bench = Bench.builder(modelFile.path())
                .prompts(prompts)
                .generations(generations)
                .repetitions(repetitions)
                .batch(batch)
                .microBatch(microBatch)
                .kernels(kernels);
        if (threads != null) {
            bench.threads(threads);
        }
        boolean visible = Terminals.isTerminal(SystemStream.Error);
        BenchReport report = bench.build().run(step -> {
            if (visible) {
                streams.err().print("\r\033[K" + step);
            }
        });
        if (visible) {
            streams.err().print("\r\033[K");
        }
        if (json) {
            streams.out().json(new BenchJson(report));
        } else {
            new BenchTable(report).print(streams.out());
            streams.out().flush();
        }
        return 0;
    }
}
