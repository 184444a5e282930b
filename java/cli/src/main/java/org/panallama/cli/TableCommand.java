package org.panallama.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.panallama.tools.quantize.FileType;
import org.panallama.tools.table.QuantizationTable;
import org.panallama.tools.table.TableReport;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Quantizes a model to many file types and measures each. */
@Command(
        name = "table",
        customSynopsis = "panallama table [-m FILE] -f FILE -o FOLDER [OPTIONS]",
        description = "Quantizes a model to several file types and measures each: size, bits per weight, perplexity, KL"
                + " divergence, speed. ln(PPL/PPL(base)) compares with the model itself on the same tokens; types that lie"
                + " within its errors take a longer text to tell apart, or their KL divergence."
                + " Prints a table in Markdown, and leaves it in the folder with JSON and charts."
                + " Run again, it goes on where it was interrupted, and adds further types.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama table -m model.F16.gguf -f wiki.test.txt --calibration other.txt -c 4096 -o table",
            "  panallama table -m model.F16.gguf -f wiki.test.txt --types F16,Q4_K,Q4_0 --keep -o table"
        })
final class TableCommand implements Callable<Integer> {

    private final Streams streams;

    @Mixin
    private ModelFileArgument modelFile;

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            required = true,
            description = "UTF-8 text to measure on, - for stdin.")
    private String text = "";

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FOLDER",
            required = true,
            description = "Folder to work in, with state.json for the types that are done.")
    private Path folder = Path.of("");

    @Option(
            names = "--types",
            paramLabel = "TYPE",
            split = ",",
            description = "File types (default: F16,Q8_0,Q6_K,Q5_K,Q5_0,Q4_K,Q4_0,Q3_K,IQ3_XXS,Q2_K,IQ2_XS,IQ2_XXS).")
    private List<String> types = new ArrayList<>();

    @Option(
            names = {"-c", "--ctx"},
            paramLabel = "N",
            defaultValue = "512",
            description = "Context length of the perplexity in tokens (default: ${DEFAULT-VALUE}).")
    private int context;

    @Option(
            names = "--chunks",
            paramLabel = "N",
            description = "Most windows of the text to measure (default: the whole text).")
    private @Nullable Integer windows;

    @Option(
            names = "--parse-special",
            description = "Recognise special tokens in the texts; without it, </s> is four characters, as in"
                    + " llama-perplexity.")
    private boolean parseSpecial;

    @ArgGroup
    private @Nullable Importance importance;

    /** Where the importance matrix of the IQ types is from. */
    static final class Importance {

        @Option(
                names = "--imatrix",
                paramLabel = "FILE",
                description = "Importance matrix for the IQ types (default: one is collected).")
        private @Nullable Path file;

        @Option(
                names = "--calibration",
                paramLabel = "FILE",
                description = "Text to collect it from (default: the measured text, which flatters the IQ types).")
        private @Nullable String text;
    }

    @Option(
            names = {"-p", "--n-prompt"},
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens of the prompt whose speed is measured (default: ${DEFAULT-VALUE}).")
    private int promptTokens;

    @Option(
            names = {"-n", "--n-gen"},
            paramLabel = "N",
            defaultValue = "64",
            description = "Tokens computed one by one to measure the speed (default: ${DEFAULT-VALUE}).")
    private int decodedTokens;

    @Option(
            names = {"-t", "--threads"},
            paramLabel = "N",
            description = "CPU threads (default: one for each core).")
    private @Nullable Integer threads;

    @Option(names = "--keep", description = "Keep the quantized files and the saved predictions in the folder.")
    private boolean keep;

    @Option(names = "--json", description = "Print JSON instead of Markdown.")
    private boolean json;

    @Mixin(name = "common")
    private CommonOptions common;

    TableCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() {
        QuantizationTable.Builder table = QuantizationTable.builder(modelFile.path(), read(text), folder)
                .contextLength(context)
                .parseSpecial(parseSpecial)
                .speed(promptTokens, decodedTokens)
                .keep(keep);
        if (!types.isEmpty()) {
            table.types(types.stream().map(FileType::of).toList());
        }
        if (windows != null) {
            table.windows(windows);
        }
        if (threads != null) {
            table.threads(threads);
        }
        if (importance != null && importance.file != null) {
            table.imatrix(importance.file);
        }
        if (importance != null && importance.text != null) {
            table.calibration(read(importance.text));
        }
        TableReport report =
                LongWork.run(streams, "measuring", progress -> table.build().run(step -> {}, progress::test));
        streams.out().print(json ? report.json() : report.markdown());
        streams.out().flush();
        return 0;
    }

    private String read(String name) {
        return TextFile.withoutLastLineFeed(TextFile.read(name, streams.in()));
    }
}
