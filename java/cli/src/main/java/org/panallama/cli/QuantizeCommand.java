package org.panallama.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.panallama.LlamaException;
import org.panallama.TensorType;
import org.panallama.tools.imatrix.Imatrix;
import org.panallama.tools.imatrix.UnseenExperts;
import org.panallama.tools.internal.OutputPlace;
import org.panallama.tools.quantize.FileType;
import org.panallama.tools.quantize.QuantizationPlan;
import org.panallama.tools.quantize.QuantizeOptions;
import org.panallama.tools.quantize.Quantizer;
import org.panallama.tools.quantize.TensorPlan;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Writes a model with fewer bits. */
@Command(
        name = "quantize",
        customSynopsis = "panallama quantize -m FILE --type TYPE -o FILE [OPTIONS]",
        description = "Writes a model with fewer bits, by llama.cpp's own quantizer.%n",
        sortOptions = false,
        footerHeading = "%nTypes:%n",
        footer = {
            "  F32 BF16 F16 Q8_0 Q6_K Q5_K_M Q5_K_S Q5_1 Q5_0 Q4_K_M Q4_K_S Q4_1 Q4_0 IQ4_NL IQ4_XS MXFP4_MOE",
            "  Q3_K_L Q3_K_M Q3_K_S IQ3_M IQ3_S IQ3_XS Q2_K TQ2_0 TQ1_0 Q2_0 Q1_0",
            "  with an importance matrix only: IQ3_XXS Q2_K_S IQ2_M IQ2_S IQ2_XS IQ2_XXS IQ1_M IQ1_S",
            "  COPY leaves the tensors as they are.",
            "",
            "Examples:",
            "  panallama quantize -m mixtral.F16.gguf --type Q4_K_M -o mixtral.Q4_K_M.gguf",
            "  panallama quantize -m mixtral.F16.gguf --type IQ2_XXS --imatrix mixtral.imatrix.gguf -o mixtral.IQ2_XXS.gguf",
            "  panallama quantize -m mixtral.F16.gguf --type Q4_K --tensor-type ffn_down_exps=Q5_K --dry-run",
            "",
            "Ctrl-C ends it within ten seconds and leaves no file behind."
        })
final class QuantizeCommand implements Callable<Integer> {

    private final Streams streams;

    @Mixin
    private ModelFileArgument model;

    @Option(
            names = "--type",
            paramLabel = "TYPE",
            required = true,
            description = "File type; Q3_K, Q4_K and Q5_K stand for the mixtures _M.")
    private String type;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE",
            description = "File to write; needed but for a dry run.")
    private @Nullable Path output;

    @Option(names = "--dry-run", description = "Only show what each tensor would become, and the sizes.")
    private boolean dryRun;

    @Option(names = "--imatrix", paramLabel = "FILE", description = "Importance matrix, see 'panallama imatrix'.")
    private @Nullable Path imatrix;

    @Option(
            names = "--unseen-experts",
            paramLabel = "HOW",
            defaultValue = "flat",
            description =
                    "What experts weigh that the importance matrix never saw: flat, as llama.cpp has it; mean, like"
                            + " the other experts; or refuse (default: ${DEFAULT-VALUE}).")
    private UnseenExperts unseenExperts;

    @Option(
            names = "--tensor-type",
            paramLabel = "REGEX=TYPE",
            description = "Format of the tensors whose names match. May be repeated; the first match counts.")
    private List<String> tensorTypes = new ArrayList<>();

    @Option(
            names = "--tensor-type-file",
            paramLabel = "FILE",
            description = "File of REGEX=TYPE, separated by spaces or lines.")
    private @Nullable Path tensorTypeFile;

    @Option(names = "--output-tensor-type", paramLabel = "TYPE", description = "Format of the output matrix.")
    private @Nullable TensorType outputType;

    @Option(names = "--token-embedding-type", paramLabel = "TYPE", description = "Format of the token embeddings.")
    private @Nullable TensorType embeddingType;

    @Option(names = "--leave-output-tensor", description = "Leave the output matrix as it is.")
    private boolean leaveOutput;

    @Option(names = "--pure", description = "The same format for all tensors, instead of the type's mixture.")
    private boolean pure;

    @Option(names = "--allow-requantize", description = "Quantize again what is quantized already; both errors add up.")
    private boolean allowRequantize;

    @Option(names = "--keep-split", description = "Of a split model, write as many files.")
    private boolean keepSplit;

    @Option(
            names = "--prune-layers",
            paramLabel = "N",
            split = ",",
            description = "Layers to leave out, counted from 0.")
    private int[] pruneLayers = {};

    @Option(
            names = "--override-kv",
            paramLabel = "KEY=TYPE:VALUE",
            description = "Set metadata of the output; TYPE is int, float, bool or str. May be repeated.")
    private List<String> metadata = new ArrayList<>();

    @Option(
            names = "--max-buffer-size",
            paramLabel = "MIB",
            description = "Most of a tensor in memory at once (default: 8192).")
    private @Nullable Integer maxBufferMib;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "CPU threads (default: all).")
    private @Nullable Integer threads;

    @Mixin(name = "common")
    private CommonOptions common;

    QuantizeCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        if (output != null) {
            OutputPlace.requireOther(
                    output,
                    Stream.of(imatrix, tensorTypeFile).filter(Objects::nonNull).toList());
        }
        Quantizer quantizer = new Quantizer(options());
        if (dryRun) {
            print(quantizer.plan(model.path()));
            return 0;
        }
        if (output == null) {
            throw new IllegalArgumentException("-o is missing: which file shall be written?");
        }
        long start = System.nanoTime();
        Path file = output;
        QuantizationPlan plan =
                LongWork.run(streams, "quantizing", progress -> quantizer.quantize(model.path(), file, progress::test));
        for (TensorPlan tensor : plan.fallbacks()) {
            streams.err()
                    .println(tensor.name() + ": " + tensor.to() + " instead of " + tensor.wanted()
                            + ", since its rows of " + tensor.shape().get(0) + " are no whole number of blocks");
        }
        streams.err()
                .println(String.format(
                        Locale.ROOT, "wrote %s: %s in %.1f s", output, size(plan), (System.nanoTime() - start) / 1e9));
        return 0;
    }

    private void print(QuantizationPlan plan) {
        int width = plan.tensors().stream()
                .mapToInt(tensor -> tensor.name().length())
                .max()
                .orElse(0);
        for (TensorPlan tensor : plan.tensors()) {
            streams.out()
                    .print(String.format(
                            Locale.ROOT,
                            "%-" + width + "s  %-20s  %-7s -> %-7s  %9s -> %9s%s\n",
                            tensor.name(),
                            tensor.shape(),
                            tensor.from(),
                            tensor.to(),
                            Printable.bytes(tensor.bytesBefore()),
                            Printable.bytes(tensor.bytesAfter()),
                            tensor.wanted() == null ? "" : "  instead of " + tensor.wanted()));
        }
        streams.out().print(plan.fileType() + ": " + size(plan) + "\n");
        streams.out().flush();
    }

    private static String size(QuantizationPlan plan) {
        return String.format(
                Locale.ROOT,
                "%s (%.2f bits per weight), from %s (%.2f)",
                Printable.bytes(plan.bytesAfter()),
                plan.bitsPerWeight(),
                Printable.bytes(plan.bytesBefore()),
                plan.bitsPerWeightBefore());
    }

    private QuantizeOptions options() {
        QuantizeOptions.Builder options = QuantizeOptions.builder(FileType.of(type))
                .unseenExperts(unseenExperts)
                .leaveOutput(leaveOutput)
                .pure(pure)
                .allowRequantize(allowRequantize)
                .keepSplit(keepSplit)
                .pruneLayers(pruneLayers);
        if (threads != null) {
            options.threads(threads);
        }
        if (maxBufferMib != null) {
            options.maxBufferMib(maxBufferMib);
        }
        if (outputType != null) {
            options.outputType(outputType);
        }
        if (embeddingType != null) {
            options.embeddingType(embeddingType);
        }
        if (imatrix != null) {
            options.imatrix(Imatrix.read(imatrix), imatrix.getFileName().toString());
        }
        tensorTypes.forEach(text -> addTensorType(options, text));
        if (tensorTypeFile != null) {
            for (String text : read(tensorTypeFile).strip().split("\\s+")) {
                addTensorType(options, text);
            }
        }
        metadata.forEach(text -> addMetadata(options, text));
        return options.build();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new LlamaException(TextFile.problem(file, e), e);
        }
    }

    private static void addTensorType(QuantizeOptions.Builder options, String text) {
        int equals = text.lastIndexOf('=');
        if (equals < 1) {
            throw new IllegalArgumentException("--tensor-type: '" + text + "' must be REGEX=TYPE");
        }
        String name = text.substring(equals + 1).toUpperCase(Locale.ROOT);
        TensorType type;
        try {
            type = TensorType.valueOf(name);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "--tensor-type: '" + name + "' is not a tensor type, such as Q4_K or F16", e);
        }
        options.tensorType(text.substring(0, equals), type);
    }

    private static void addMetadata(QuantizeOptions.Builder options, String text) {
        int equals = text.indexOf('=');
        int colon = text.indexOf(':', Math.max(0, equals));
        if (equals < 1 || colon < 0) {
            throw new IllegalArgumentException("--override-kv: '" + text + "' must be KEY=TYPE:VALUE");
        }
        String key = text.substring(0, equals);
        String value = text.substring(colon + 1);
        try {
            switch (text.substring(equals + 1, colon)) {
                case "int" -> options.metadata(key, Long.parseLong(value));
                case "float" -> options.metadata(key, Double.parseDouble(value));
                case "bool" -> options.metadata(key, bool(value));
                case "str" -> options.metadata(key, value);
                default ->
                    throw new IllegalArgumentException(
                            "--override-kv: the type in '" + text + "' must be int, float, bool or str");
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("--override-kv: '" + value + "' in '" + text + "' is not a number", e);
        }
    }

    private static boolean bool(String value) {
        if (!value.equals("true") && !value.equals("false")) {
            throw new IllegalArgumentException("--override-kv: '" + value + "' must be true or false");
        }
        return value.equals("true");
    }
}
