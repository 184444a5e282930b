package org.panallama.cli;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.panallama.tools.convert.ConversionOptions;
import org.panallama.tools.convert.ConversionReport;
import org.panallama.tools.convert.ConversionType;
import org.panallama.tools.convert.Converter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Converts a Hugging Face checkpoint to GGUF. */
@Command(
        name = "convert",
        customSynopsis = "panallama convert DIR -o FILE [OPTIONS]",
        description =
                "Converts a Hugging Face checkpoint (config.json, safetensors, tokenizer) to a GGUF file: Mixtral,"
                        + " Llama, Mistral, Qwen2, Qwen2-MoE, Qwen3, Qwen3-MoE, OLMoE; BERT, DistilBERT, RoBERTa and"
                        + " XLM-RoBERTa embedders and rerankers; Qwen3-Reranker.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama convert chinese-mixtral-instruct -o chinese-mixtral-instruct.f16.gguf",
            "  panallama convert bge-small-zh-v1.5 -o bge.gguf --type f32"
        })
final class ConvertCommand implements Callable<Integer> {

    private final Streams streams;

    @Parameters(paramLabel = "DIR", description = "Folder of the checkpoint.")
    private Path checkpoint;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            required = true,
            description = "File to write.")
    private Path output;

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            defaultValue = "f16",
            description =
                    "Format of the matrices: f32, f16, bf16 or q8_0 (default: ${DEFAULT-VALUE}). Norms, biases and"
                            + " routers are f32 in all of them.")
    private String type;

    @Option(
            names = "--name",
            paramLabel = "TEXT",
            description =
                    "The model's name in the file (default: from the model card, config.json or the folder's name).")
    private @Nullable String modelName;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "Threads that convert numbers (default: one for each processor, at most 8).")
    private @Nullable Integer threads;

    @Mixin(name = "common")
    private CommonOptions common;

    ConvertCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        ConversionOptions.Builder options = ConversionOptions.builder().type(type(type));
        if (modelName != null) {
            options.name(modelName);
        }
        if (threads != null) {
            options.threads(threads);
        }
        Converter converter = Converter.open(checkpoint, options.build());
        long start = System.nanoTime();
        ConversionReport report =
                LongWork.run(streams, "converting", progress -> converter.write(output, progress::test));
        report.warnings().forEach(warning -> streams.err().println("warning: " + warning));
        streams.err()
                .println(String.format(
                        Locale.ROOT,
                        "wrote %s: %s, %d tensors, %s in %.1f s",
                        output,
                        converter.architecture(),
                        report.tensors(),
                        Printable.bytes(report.bytes()),
                        (System.nanoTime() - start) / 1e9));
        return 0;
    }

    /** The type of that name. */
    static ConversionType type(String type) {
        return Arrays.stream(ConversionType.values())
                .filter(value -> value.name().equalsIgnoreCase(type))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("--type is '" + type + "', must be one of "
                        + Arrays.stream(ConversionType.values())
                                .map(value -> value.name().toLowerCase(Locale.ROOT))
                                .collect(Collectors.joining(", "))));
    }
}
