package org.panallama.cli;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.panallama.gguf.GgufModel;
import org.panallama.gguf.GgufSplitter;
import org.panallama.gguf.GgufTensor;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Splits a model over several files. */
@Command(
        name = "split",
        customSynopsis = "panallama gguf split FILE -o PREFIX (--max-size SIZE | --max-tensors N) [OPTIONS]",
        description =
                "Splits a model over files named PREFIX-00001-of-00005.gguf, as llama.cpp's gguf-split does, and prints"
                        + " their names. llama.cpp loads all when given the first.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = "  panallama gguf split model.gguf --max-size 4G -o parts/model")
final class GgufSplitCommand implements Callable<Integer> {

    private static final Pattern SIZE = Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?)([KMGT]?)B?");
    private static final Map<String, Long> UNITS =
            Map.of("", 1L, "K", 1_000L, "M", 1_000_000L, "G", 1_000_000_000L, "T", 1_000_000_000_000L);

    private final Streams streams;

    @Parameters(paramLabel = "FILE", description = "GGUF file.")
    private Path path;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "PREFIX",
            required = true,
            description = "Directory and beginning of the files' names.")
    private Path prefix;

    @ArgGroup(multiplicity = "1")
    private Limit limit;

    /** How large a file may be. */
    private static final class Limit {

        @Option(
                names = "--max-size",
                paramLabel = "SIZE",
                description = "Most bytes of tensor data in a file: 500M or 4G, in decimal units.")
        private @Nullable String size;

        @Option(names = "--max-tensors", paramLabel = "N", description = "Most tensors in a file.")
        private int tensors;
    }

    @Option(names = "--dry-run", description = "Only print the names and sizes of the files.")
    private boolean dryRun;

    @Mixin(name = "common")
    private CommonOptions common;

    GgufSplitCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        GgufModel model = GgufModel.open(path);
        GgufSplitter splitter = limit.size != null
                ? GgufSplitter.bySize(model, bytes(limit.size))
                : GgufSplitter.byTensors(model, limit.tensors);
        if (dryRun) {
            List<Path> paths = splitter.paths(prefix);
            for (int i = 0; i < paths.size(); i++) {
                List<GgufTensor> part = splitter.parts().get(i);
                long bytes = part.stream().mapToLong(GgufTensor::bytes).sum();
                streams.out().line(paths.get(i) + "  " + part.size() + " tensors, " + Printable.bytes(bytes));
            }
        } else {
            LongWork.run(streams, "splitting", progress -> splitter.write(prefix, progress))
                    .forEach(part -> streams.out().line(part.toString()));
        }
        streams.out().flush();
        return 0;
    }

    private static long bytes(String size) {
        Matcher matcher = SIZE.matcher(size);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("--max-size is '" + size + "', must be a size such as 500M or 4G");
        }
        return new BigDecimal(matcher.group(1))
                .multiply(BigDecimal.valueOf(UNITS.get(matcher.group(2))))
                .longValue();
    }
}
