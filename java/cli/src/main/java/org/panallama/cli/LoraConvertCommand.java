package org.panallama.cli;

import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.panallama.tools.convert.ConversionOptions;
import org.panallama.tools.convert.ConversionReport;
import org.panallama.tools.lora.LoraConverter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Converts an adapter to GGUF. */
@Command(
        name = "convert",
        customSynopsis = "panallama lora convert DIR --base DIR|FILE -o FILE [OPTIONS]",
        description = {
            "Converts a LoRA adapter that PEFT saved (adapter_config.json, adapter_model.safetensors) to a GGUF file,"
                    + " for --lora of the other commands and for llama.cpp: attention, feed-forward, experts and their"
                    + " router.",
            "Modules that the adapter holds whole (modules_to_save: embed_tokens, lm_head) become their difference to"
                    + " the base, and the file as large as they are."
        },
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama lora convert chinese-mixtral-lora --base Mixtral-8x7B-v0.1 -o chinese-mixtral-lora.gguf",
            "  panallama lora convert lora --base mixtral.q8_0.gguf -o lora.gguf --type f16"
        })
final class LoraConvertCommand implements Callable<Integer> {

    private final Streams streams;

    @Parameters(paramLabel = "DIR", description = "Folder of the adapter.")
    private Path adapter;

    @Option(
            names = "--base",
            paramLabel = "DIR|FILE",
            required = true,
            description =
                    "The model that the adapter was trained for: its checkpoint (without modules_to_save config.json is"
                            + " enough) or a GGUF file.")
    private Path base;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            required = true,
            description = "File to write.")
    private Path output;

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            defaultValue = "f32",
            description =
                    "Format of the matrices: f32, f16, bf16 or q8_0 (default: ${DEFAULT-VALUE}). Rows that are too"
                            + " short for q8_0 become f16.")
    private String type;

    @Option(
            names = "--name",
            paramLabel = "TEXT",
            description = "The adapter's name in the file (default: the folder's name).")
    private @Nullable String adapterName;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "Threads that compute (default: one for each processor, at most 8).")
    private @Nullable Integer threads;

    @Mixin(name = "common")
    private CommonOptions common;

    LoraConvertCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        ConversionOptions.Builder options = ConversionOptions.builder().type(ConvertCommand.type(type));
        if (adapterName != null) {
            options.name(adapterName);
        }
        if (threads != null) {
            options.threads(threads);
        }
        LoraConverter converter = LoraConverter.open(adapter, base, options.build());
        ConversionReport report =
                LongWork.run(streams, "converting", progress -> converter.write(output, progress::test));
        report.warnings().forEach(warning -> streams.err().println("warning: " + warning));
        streams.err()
                .println(String.format(
                        Locale.ROOT,
                        "wrote %s: %d tensors for %s, %s",
                        output,
                        report.tensors(),
                        converter.metadata().get("general.architecture").string(),
                        Printable.bytes(report.bytes())));
        return 0;
    }
}
