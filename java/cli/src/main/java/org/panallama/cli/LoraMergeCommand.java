package org.panallama.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.panallama.tools.lora.CheckpointMerger;
import org.panallama.tools.lora.GgufMerger;
import org.panallama.tools.lora.MergeOptions;
import org.panallama.tools.lora.MergeReport;
import org.panallama.tools.lora.WeightedAdapter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Merges adapters into a model. */
@Command(
        name = "merge",
        customSynopsis = {
            "panallama lora merge --base DIR --lora DIR[:WEIGHT] [--lora ...] -o DIR [OPTIONS]",
            "panallama lora merge --base FILE --lora DIR|FILE[:WEIGHT] [--lora ...] -o FILE [OPTIONS]"
        },
        description = {
            "Merges LoRA adapters into a Hugging Face checkpoint, shard by shard in little memory, or into a GGUF file"
                    + " (f32, f16, bf16, q8_0). What no adapter changes stays as it is, byte for byte.",
            "Modules that an adapter holds whole (modules_to_save) take the place of the base's."
        },
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama lora merge --base Mixtral-8x7B-v0.1 --lora chinese-mixtral-lora -o chinese-mixtral",
            "  panallama lora merge --base mixtral.f16.gguf --lora style.gguf:0.5 --lora facts -o mixed.f16.gguf"
        })
final class LoraMergeCommand implements Callable<Integer> {

    private final Streams streams;

    @Option(
            names = "--base",
            paramLabel = "DIR|FILE",
            required = true,
            description = "The model: folder of a checkpoint, or a GGUF file.")
    private Path base;

    @Option(
            names = "--lora",
            paramLabel = "DIR[:WEIGHT]",
            required = true,
            description = "Folder of an adapter as PEFT saves it (or, for a GGUF file, an adapter in GGUF format), with"
                    + " its weight (default: 1). May be repeated.")
    private List<String> adapters;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR|FILE",
            required = true,
            description = "What to write: a new folder for a checkpoint, a file for a GGUF file.")
    private Path output;

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            description =
                    "Format of the tensors that change, for a checkpoint: f32, f16 or bf16 (default: each keeps its"
                            + " own).")
    private @Nullable String type;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "Threads that compute (default: one for each processor, at most 16).")
    private @Nullable Integer threads;

    @Mixin(name = "common")
    private CommonOptions common;

    LoraMergeCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        MergeOptions.Builder builder = MergeOptions.builder();
        if (type != null) {
            builder.type(ConvertCommand.type(type));
        }
        if (threads != null) {
            builder.threads(threads);
        }
        MergeOptions options = builder.build();
        List<WeightedAdapter> weighted = adapters.stream()
                .map(AdapterArgument::of)
                .map(adapter -> new WeightedAdapter(adapter.path(), adapter.weight()))
                .toList();
        long start = System.nanoTime();
        MergeReport report = LongWork.run(
                streams,
                "merging",
                progress -> Files.isDirectory(base)
                        ? CheckpointMerger.open(base, weighted, options).write(output, progress::test)
                        : GgufMerger.open(base, weighted, options).write(output, progress::test));
        report.warnings().forEach(warning -> streams.err().println("warning: " + warning));
        streams.err()
                .println(String.format(
                        Locale.ROOT,
                        "wrote %s: %d of %d tensors changed, %s in %.1f s",
                        output,
                        report.changed(),
                        report.tensors(),
                        Printable.bytes(report.bytes()),
                        (System.nanoTime() - start) / 1e9));
        return 0;
    }
}
