package org.panallama.tools.table;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.panallama.ContextOptions;
import org.panallama.LlamaException;
import org.panallama.Model;
import org.panallama.fit.ModelMemory;
import org.panallama.internal.CpuTopology;
import org.panallama.internal.GgufPreflight;
import org.panallama.tools.Progress;
import org.panallama.tools.imatrix.Imatrix;
import org.panallama.tools.imatrix.ImatrixCollector;
import org.panallama.tools.internal.OutputPlace;
import org.panallama.tools.perplexity.Estimate;
import org.panallama.tools.perplexity.KlDivergence;
import org.panallama.tools.perplexity.Perplexity;
import org.panallama.tools.perplexity.PerplexityResult;
import org.panallama.tools.quantize.FileType;
import org.panallama.tools.quantize.QuantizeOptions;
import org.panallama.tools.quantize.Quantizer;

/**
 * Quantizes a model to several file types and measures each: size, perplexity, divergence from the model itself, speed. It is
 * the table that Chinese-Mixtral's README has, for any model.
 *
 * <p>Works in a folder, where it keeps the results of the types that are done, the model's own predictions, the importance
 * matrix, and in the end the table: {@code table.md}, {@code table.json}, {@code table.png}, {@code table.svg}. A run that was
 * interrupted goes on where it was; a run with other types adds them.
 */
public final class QuantizationTable {

    /** The types of Chinese-Mixtral's table. */
    public static final List<FileType> TYPES = List.of(
            FileType.F16,
            FileType.Q8_0,
            FileType.Q6_K,
            FileType.Q5_K_M,
            FileType.Q5_0,
            FileType.Q4_K_M,
            FileType.Q4_0,
            FileType.Q3_K_M,
            FileType.IQ3_XXS,
            FileType.Q2_K,
            FileType.IQ2_XS,
            FileType.IQ2_XXS);

    private static final String PREDICTIONS = "base.kld";
    private static final String IMATRIX = "collected-imatrix.gguf";

    private final Path model;
    private final String text;
    private final Path folder;
    private final List<FileType> types;
    private final int contextLength;
    private final int windows;
    private final boolean parseSpecial;
    private final int promptTokens;
    private final int decodedTokens;
    private final int threads;
    private final boolean keep;
    private final @Nullable Path imatrix;
    private final String calibration;

    private QuantizationTable(Builder builder) {
        model = builder.model;
        text = builder.text;
        folder = builder.folder;
        types = builder.types;
        contextLength = builder.contextLength;
        windows = builder.windows;
        parseSpecial = builder.parseSpecial;
        promptTokens = builder.promptTokens;
        decodedTokens = builder.decodedTokens;
        threads = builder.threads;
        keep = builder.keep;
        imatrix = builder.imatrix;
        calibration = builder.calibration;
    }

    /**
     * Begins with {@link #TYPES} at a context of 512 tokens, over the whole text.
     *
     * @param model a file in F16, BF16 or F32
     * @param text to measure on
     * @param folder to work in; made if it is not there
     */
    public static Builder builder(Path model, String text, Path folder) {
        return new Builder(model, text, folder);
    }

    /** Collects what to do. */
    public static final class Builder {

        private final Path model;
        private final String text;
        private final Path folder;
        private List<FileType> types = TYPES;
        private int contextLength = 512;
        private int windows = Integer.MAX_VALUE;
        private boolean parseSpecial;
        private int promptTokens = 512;
        private int decodedTokens = 64;
        private int threads = CpuTopology.cores();
        private boolean keep;
        private @Nullable Path imatrix;
        private String calibration = "";

        private Builder(Path model, String text, Path folder) {
            this.model = model;
            this.text = text;
            this.folder = folder;
        }

        /**
         * The file types, in the table's order; the model's own is measured as it is.
         *
         * @throws IllegalArgumentException if there are none
         */
        public Builder types(List<FileType> list) {
            if (list.isEmpty() || list.contains(FileType.COPY)) {
                throw new IllegalArgumentException("types is " + list + ", must name file types to quantize to");
            }
            types = List.copyOf(new LinkedHashSet<>(list));
            return this;
        }

        /** Tokens of the perplexity's context; see {@link Perplexity.Builder#contextLength}. */
        public Builder contextLength(int tokens) {
            Perplexity.builder().contextLength(tokens);
            contextLength = tokens;
            return this;
        }

        /** Most windows of the text to measure. */
        public Builder windows(int count) {
            Perplexity.builder().windows(count);
            windows = count;
            return this;
        }

        /** Whether special tokens are recognised in the texts; see {@link Perplexity.Builder#parseSpecial}. */
        public Builder parseSpecial(boolean on) {
            parseSpecial = on;
            return this;
        }

        /** Tokens of the prompt, and those computed one by one, whose speed is measured; from 1 to 1048576. */
        public Builder speed(int prompt, int decoded) {
            for (int tokens : new int[] {prompt, decoded}) {
                if (tokens < 1 || tokens > 1 << 20) {
                    throw new IllegalArgumentException("speed is of " + tokens + " tokens, must be from 1 to 1048576");
                }
            }
            promptTokens = prompt;
            decodedTokens = decoded;
            return this;
        }

        /** Threads that compute and quantize; one for each core by default. */
        public Builder threads(int count) {
            ContextOptions.builder().threads(count);
            threads = count;
            return this;
        }

        /** Whether the quantized files and the saved predictions stay, for other uses; by default they are deleted. */
        public Builder keep(boolean on) {
            keep = on;
            return this;
        }

        /** An importance matrix for the IQ types, instead of one collected on the way. */
        public Builder imatrix(Path file) {
            imatrix = file;
            return this;
        }

        /** The text to collect the importance matrix from. Without it, that is the measured one, which flatters the IQ types. */
        public Builder calibration(String calibrationText) {
            calibration = calibrationText;
            return this;
        }

        /** The table, not begun yet. */
        public QuantizationTable build() {
            return new QuantizationTable(this);
        }
    }

    /**
     * Does what is not done yet, and writes the table into the folder.
     *
     * @param steps is told what begins
     * @param progress of all types together
     * @throws LlamaException if the folder has results of another model, text or options; or as the steps throw
     * @throws CancellationException if the progress says so; what is done stays done
     */
    public TableReport run(Consumer<String> steps, Progress progress) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw Files.exists(folder)
                    ? new LlamaException("Cannot write " + folder + ": it is a file; name a folder", e)
                    : OutputPlace.failed(folder, e);
        }
        Path stateFile = folder.resolve("state.json");
        if (!Files.exists(stateFile)) {
            requireNoForeignFiles();
        }
        TableState state = new TableState(stateFile, conditions());
        List<FileType> open = types.stream()
                .filter(type -> !state.rows().containsKey(type.name()))
                .toList();
        Path predictions = folder.resolve(PREDICTIONS);
        if (state.isNew()) {
            delete(folder.resolve(IMATRIX));
        }
        if (!open.isEmpty()) {
            FileType base = baseType();
            Run run = new Run(steps, progress, open.size() + 1, predictions);
            run.base(state, base, open.contains(base));
            for (FileType type : open) {
                if (type != base) {
                    run.type(state, type);
                }
            }
        }
        if (!keep) {
            delete(predictions);
        }
        return write(state);
    }

    /** Quantized files are written over and deleted in the course of the work, so that there must be no others of their names. */
    private void requireNoForeignFiles() {
        List<Path> files = new ArrayList<>(List.of(folder.resolve(PREDICTIONS)));
        for (FileType type : FileType.values()) {
            files.add(quantized(type));
        }
        for (Path file : files) {
            if (Files.exists(file) && !isModel(file)) {
                throw new LlamaException(file + " is there already, and would be written over:"
                        + " choose another folder, or move it away");
            }
        }
    }

    private boolean isModel(Path file) {
        try {
            return Files.isSameFile(file, model);
        } catch (IOException e) {
            return false;
        }
    }

    private Path quantized(FileType type) {
        String name = model.getFileName().toString().replaceFirst("(?i)\\.gguf$", "");
        return folder.resolve(name.replaceFirst("(?i)[.-](f16|bf16|f32)$", "") + "." + type + ".gguf");
    }

    private TableReport write(TableState state) {
        TableReport report = new TableReport(
                model.getFileName().toString(),
                contextLength,
                promptTokens,
                decodedTokens,
                threads,
                types.stream().anyMatch(QuantizationTable::wantsImatrix) ? imatrixSource() : "",
                types.stream().map(type -> state.rows().get(type.name())).toList());
        try {
            Files.writeString(folder.resolve("table.md"), report.markdown());
            Files.writeString(folder.resolve("table.json"), report.json());
        } catch (IOException e) {
            throw new LlamaException("Cannot write the table into " + folder + ": " + e, e);
        }
        report.draw(folder.resolve("table.png"));
        report.draw(folder.resolve("table.svg"));
        return report;
    }

    /** The file type of the model to begin with. */
    private FileType baseType() {
        int code = (int)
                GgufPreflight.check(model).file().integer("general.file_type").orElse(1);
        return switch (code) {
            case 0 -> FileType.F32;
            case 1 -> FileType.F16;
            case 32 -> FileType.BF16;
            default ->
                throw new LlamaException(
                        model + " is quantized already; the table needs a model in F16, BF16 or F32 to begin with");
        };
    }

    private Map<String, String> conditions() {
        Map<String, String> conditions = new LinkedHashMap<>();
        conditions.put("model", Fingerprint.of(model));
        conditions.put("text", Fingerprint.of(text));
        conditions.put("context", String.valueOf(contextLength));
        conditions.put("reading of special tokens", parseSpecial ? "recognised" : "taken as text");
        conditions.put("windows", windows == Integer.MAX_VALUE ? "all" : String.valueOf(windows));
        conditions.put("speed", promptTokens + " and " + decodedTokens + " tokens, " + threads + " threads");
        conditions.put(
                "imatrix",
                imatrix == null ? "from text " + Fingerprint.of(calibrationText()) : Fingerprint.of(imatrix));
        return conditions;
    }

    private String calibrationText() {
        return calibration.isEmpty() ? text : calibration;
    }

    private String imatrixSource() {
        return imatrix != null
                ? imatrix.getFileName().toString()
                : calibration.isEmpty()
                        ? "collected from the measured text itself"
                        : "collected from the calibration text";
    }

    /** The IQ types, so that the others compare with files that were made without one; and one that cannot do without. */
    static boolean wantsImatrix(FileType type) {
        return type.name().startsWith("IQ") || type == FileType.Q2_K_S;
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new LlamaException("Cannot delete " + file + ": " + e, e);
        }
    }

    /** The work on the types that are not done. */
    private final class Run {

        private final Consumer<String> steps;
        private final Progress progress;
        private final int parts;
        private final Path predictions;
        private final Perplexity perplexity;
        private int done;
        private @Nullable Imatrix matrix;

        Run(Consumer<String> steps, Progress progress, int parts, Path predictions) {
            this.steps = steps;
            this.progress = progress;
            this.parts = parts;
            this.predictions = predictions;
            this.perplexity = Perplexity.builder()
                    .contextLength(contextLength)
                    .windows(windows)
                    .parseSpecial(parseSpecial)
                    .options(() -> ContextOptions.builder().threads(threads))
                    .build();
        }

        /** From and to: the share of the type under way. */
        private Progress part(double from, double to) {
            return fraction -> progress.onProgress((done + from + (to - from) * fraction) / parts);
        }

        private void begin(String step) {
            steps.accept(step);
            if (!progress.onProgress((double) done / parts)) {
                throw new CancellationException("the table was cancelled");
            }
        }

        /** The predictions of the model itself, and its row. */
        void base(TableState state, FileType type, boolean row) {
            begin("the model itself");
            if (!row && Files.exists(predictions)) {
                done++;
                return;
            }
            try (Model loaded = Model.load(model)) {
                PerplexityResult result = perplexity.measureAndSave(loaded, text, predictions, part(0, 0.8));
                if (row) {
                    Estimate none = new Estimate(0, 0);
                    state.add(row(type, model, loaded, result, none, none, new Estimate(1, 0)));
                }
            }
            done++;
        }

        void type(TableState state, FileType type) {
            begin(type.name());
            QuantizeOptions.Builder options = QuantizeOptions.builder(type).threads(threads);
            if (wantsImatrix(type)) {
                options.imatrix(matrix(), imatrixSource());
                begin(type.name());
            }
            Path file = quantized(type);
            new Quantizer(options.build()).quantize(model, file, part(0, 0.3));
            try (Model loaded = Model.load(file)) {
                KlDivergence divergence = perplexity.compare(loaded, predictions, part(0.3, 0.9));
                state.add(row(
                        type,
                        file,
                        loaded,
                        divergence.result(),
                        divergence.logPerplexityRatio(),
                        divergence.divergence(),
                        divergence.sameTop()));
            }
            if (!keep) {
                delete(file);
            }
            done++;
        }

        private TableRow row(
                FileType type,
                Path file,
                Model loaded,
                PerplexityResult result,
                Estimate logRatio,
                Estimate divergence,
                Estimate sameTop) {
            int[] tokens = loaded.vocab().tokenize(text, false, parseSpecial);
            Speed speed = Speed.measure(loaded, tokens, promptTokens, decodedTokens, threads);
            return new TableRow(
                    type.name(),
                    fileBytes(file),
                    ModelMemory.read(file).weights().bitsPerWeight(),
                    result.perplexity(),
                    logRatio,
                    divergence,
                    sameTop,
                    speed.prompt(),
                    speed.decode());
        }

        private long fileBytes(Path file) {
            try {
                return Files.size(file);
            } catch (IOException e) {
                throw new LlamaException(file + ": cannot be read: " + e, e);
            }
        }

        private Imatrix matrix() {
            Imatrix known = matrix;
            if (known == null) {
                known = imatrix != null ? Imatrix.read(imatrix) : collect();
                matrix = known;
            }
            return known;
        }

        private Imatrix collect() {
            Path file = folder.resolve(IMATRIX);
            steps.accept("importance matrix");
            try (Model loaded = Model.load(model)) {
                ImatrixCollector.Builder collector = ImatrixCollector.builder(loaded)
                        .chunkSize(contextLength)
                        .parseSpecial(parseSpecial)
                        .threads(threads)
                        .saveTo(file, 20);
                if (Files.exists(file)) {
                    Imatrix begun = Imatrix.read(file);
                    if (begun.position() != null) {
                        collector.resume(begun);
                    }
                }
                return collector.build().collect(calibrationText(), part(0, 0));
            }
        }
    }
}
