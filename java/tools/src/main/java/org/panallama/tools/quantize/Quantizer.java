package org.panallama.tools.quantize;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.panallama.LlamaException;
import org.panallama.ModelLoadException;
import org.panallama.TensorType;
import org.panallama.gguf.internal.WriteFailure;
import org.panallama.internal.GgufPreflight;
import org.panallama.internal.LogRouter;
import org.panallama.internal.ModelSummary;
import org.panallama.internal.NativeRuntime;
import org.panallama.spi.Binding;
import org.panallama.spi.MetadataParam;
import org.panallama.spi.QuantizeParams;
import org.panallama.tools.Progress;
import org.panallama.tools.imatrix.Imatrix;
import org.panallama.tools.internal.OutputPlace;
import org.panallama.tools.internal.StagingFolder;

/**
 * Writes a model again with fewer bits, by llama.cpp's own quantizer: which tensor gets which format, routers and norms that
 * stay as they are, threads and results are the same as with {@code llama-quantize}.
 *
 * <pre>{@code
 * Quantizer quantizer = new Quantizer(QuantizeOptions.builder(FileType.Q4_K_M).build());
 * System.out.println(quantizer.plan(model).bitsPerWeight());
 * quantizer.quantize(model, Path.of("model.Q4_K_M.gguf"), Progress.NONE);
 * }</pre>
 *
 * <p>Immutable, may be used by several threads.
 */
public final class Quantizer {

    private static final String SUFFIX = ".gguf";
    private static final int ALIGNMENT = 32;
    private static final int METADATA_BYTES = 127; // llama.cpp has room for as many

    private final QuantizeOptions options;
    private final Map<String, float[]> importance;

    /**
     * A quantizer.
     *
     * @throws LlamaException if the importance matrix lacks experts that {@link QuantizeOptions} says it must have
     */
    public Quantizer(QuantizeOptions options) {
        this.options = options;
        this.importance = options.imatrix == null ? Map.of() : options.imatrix.importance(options.unseenExperts);
    }

    /**
     * What would be done, as llama.cpp's own dry run says. It reads no weights.
     *
     * @param model the file, or any part of a split model
     * @throws ModelLoadException if the model cannot be loaded
     * @throws LlamaException if it cannot be quantized this way: an importance matrix is needed, it is quantized already
     */
    public QuantizationPlan plan(Path model) {
        return plan(summary(model));
    }

    /**
     * Quantizes a model.
     *
     * @param model the file, or any part of a split model
     * @param output the file to write, which appears when it is complete, over an existing one. With {@link
     *     QuantizeOptions.Builder#keepSplit}, the files are named {@code OUTPUT-00001-of-0000N.gguf}
     * @param progress asked before each tensor. llama.cpp cannot be stopped within one: after a cancellation, it finishes the
     *     tensor that it has under way, which may take minutes for the experts of a large model
     * @return what was done
     * @throws ModelLoadException if the model cannot be loaded
     * @throws LlamaException if it cannot be quantized this way, there is no room for the output, or it cannot be written
     * @throws CancellationException if {@code progress} says so
     */
    public QuantizationPlan quantize(Path model, Path output, Progress progress) {
        ModelSummary summary = summary(model);
        QuantizationPlan plan = plan(summary);
        boolean split = options.keepSplit && summary.parts().size() > 1;
        try {
            OutputPlace.requireFile(output, summary.paths());
            String name = output.getFileName().toString();
            String stem = name.endsWith(SUFFIX) ? name.substring(0, name.length() - SUFFIX.length()) : name;
            List<String> names = new ArrayList<>();
            int parts = split ? summary.parts().size() : 1;
            for (int i = 1; i <= parts; i++) {
                names.add(split ? String.format(Locale.ROOT, "%s-%05d-of-%05d%s", stem, i, parts, SUFFIX) : name);
                OutputPlace.requireOther(output.resolveSibling(names.get(i - 1)), summary.paths());
            }
            try (StagingFolder staging = new StagingFolder(output)) {
                OutputPlace.requireRoom(output, plan.bytesAfter());
                try {
                    run(summary, staging.file(split ? stem : name), plan, progress);
                } catch (LlamaException e) {
                    // llama.cpp says "iostream error"
                    if (WriteFailure.isFull(output)) {
                        throw OutputPlace.failed(output, new IOException(e.getMessage(), e));
                    }
                    throw e;
                }
                List<Path> files = names.stream().map(staging::file).toList();
                verify(files.get(0), plan);
                staging.moveIntoPlace(files);
            }
        } catch (IOException e) {
            throw OutputPlace.failed(output, e);
        }
        return plan;
    }

    private ModelSummary summary(Path model) {
        ModelSummary asked = GgufPreflight.check(model);
        ModelSummary overridden = GgufPreflight.check(asked.paths(), options.metadata);
        new QuantizationChecks(model, options).checkModel(overridden);
        return overridden;
    }

    private QuantizationPlan plan(ModelSummary model) {
        Path input = model.file().path();
        QuantizationLog log = new QuantizationLog(begun -> {});
        Run run = new Run(params(model, true));
        try {
            run.call(input, input, log);
        } catch (LlamaException e) {
            throw new QuantizationChecks(input, options).withPattern(e);
        }
        int expected = (int) model.tensors().stream()
                .filter(tensor -> Arrays.stream(options.pruneLayers)
                        .noneMatch(layer -> tensor.name().startsWith("blk." + layer + ".")))
                .count();
        if (log.tensors().size() != expected) {
            throw new LlamaException(
                    "llama.cpp's dry run names " + log.tensors().size() + " of the " + expected + " tensors of " + input
                            + ", so that it cannot be told what it would do");
        }
        QuantizationPlan plan = new QuantizationPlan(options.fileType, log.tensors());
        new QuantizationChecks(input, options).checkPlan(model, plan, importance);
        return plan;
    }

    private void run(ModelSummary model, Path output, QuantizationPlan plan, Progress progress) {
        double total = Math.max(1, plan.bytesBefore());
        long[] ends = new long[plan.tensors().size() + 1];
        for (int i = 0; i < plan.tensors().size(); i++) {
            ends[i + 1] = ends[i] + plan.tensors().get(i).bytesBefore();
        }
        AtomicBoolean cancelled = new AtomicBoolean();
        RuntimeException[] thrown = new RuntimeException[1];
        Run run = new Run(params(model, false));
        QuantizationLog log = new QuantizationLog(begun -> {
            try {
                if (!cancelled.get() && !progress.onProgress(ends[Math.min(begun, ends.length - 1)] / total)) {
                    cancelled.set(true);
                }
            } catch (RuntimeException e) {
                thrown[0] = e;
                cancelled.set(true);
            }
            if (cancelled.get()) {
                run.stop();
            }
        });
        run.call(model.file().path(), output, log);
        if (thrown[0] != null) {
            throw thrown[0];
        }
        if (cancelled.get() || !progress.onProgress(1)) {
            throw new CancellationException(
                    "The quantization of " + model.file().path() + " was cancelled");
        }
    }

    /** One call of llama.cpp, which can be stopped while it is under way. */
    private static final class Run {

        private final Binding binding = NativeRuntime.get().binding();
        private final QuantizeParams params;
        private long quantization;

        Run(QuantizeParams params) {
            this.params = params;
        }

        void call(Path input, Path output, QuantizationLog listener) {
            LogRouter log = NativeRuntime.get().log();
            Deque<String> kept = LogRouter.newKeeper();
            quantization = binding.quantizationNew(params);
            int status;
            try {
                status = log.keeping(
                        kept,
                        () -> log.listening(
                                listener,
                                () -> binding.quantizationRun(quantization, input.toString(), output.toString())));
            } finally {
                binding.quantizationFree(quantization);
            }
            if (status != 0) {
                throw new LlamaException("llama.cpp cannot quantize " + input + "." + LogRouter.explain(kept));
            }
        }

        /** From the log only, that is within the call. */
        void stop() {
            binding.quantizationStop(quantization);
        }
    }

    private QuantizeParams params(ModelSummary model, boolean dryRun) {
        return new QuantizeParams(
                options.fileType.code(),
                options.threads,
                id(options.outputType),
                id(options.embeddingType),
                options.allowRequantize,
                !options.leaveOutput,
                options.fileType == FileType.COPY,
                options.pure,
                options.keepSplit && model.parts().size() > 1,
                dryRun,
                importance.keySet().toArray(new String[0]),
                importance.values().toArray(new float[0][]),
                metadata(model),
                options.overrides.stream()
                        .map(QuantizeOptions.TensorOverride::pattern)
                        .toArray(String[]::new),
                options.overrides.stream()
                        .mapToInt(override -> override.type().id())
                        .toArray(),
                options.pruneLayers,
                options.maxBufferBytes);
    }

    private static int id(@Nullable TensorType type) {
        return type == null ? -1 : type.id();
    }

    /** The options', the alignment that llama.cpp gives the data, and what llama-quantize notes of the importance matrix. */
    private List<MetadataParam> metadata(ModelSummary model) {
        List<MetadataParam> metadata = new ArrayList<>(options.metadata);
        if (model.file().alignment() != ALIGNMENT) {
            metadata.add(integer("general.alignment", ALIGNMENT));
        }
        Imatrix imatrix = options.imatrix;
        if (imatrix != null) {
            metadata.add(text("quantize.imatrix.file", options.imatrixName));
            if (!imatrix.datasets().isEmpty()) {
                metadata.add(text("quantize.imatrix.dataset", imatrix.datasets().get(0)));
            }
            metadata.add(
                    integer("quantize.imatrix.entries_count", imatrix.tensors().size()));
            if (imatrix.chunkCount() > 0) {
                metadata.add(integer("quantize.imatrix.chunks_count", imatrix.chunkCount()));
            }
        }
        return metadata;
    }

    private static MetadataParam integer(String key, int value) {
        return new MetadataParam(key, 0, value, 0, false, "");
    }

    /** Cut to what llama.cpp has room for, between characters. */
    private static MetadataParam text(String key, String value) {
        ByteBuffer room = ByteBuffer.allocate(METADATA_BYTES);
        StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(value.replace("\0", "")), room, true);
        return new MetadataParam(
                key, 3, 0, 0, false, StandardCharsets.UTF_8.decode(room.flip()).toString());
    }

    /** llama.cpp overlooks some errors of the disk. */
    private static void verify(Path file, QuantizationPlan plan) {
        Map<String, TensorType> types = new HashMap<>();
        try {
            GgufPreflight.check(file).tensors().forEach(tensor -> types.put(tensor.name(), tensor.type()));
        } catch (ModelLoadException e) {
            throw new LlamaException(
                    "llama.cpp wrote a file that cannot be used; is the disk full? " + e.getMessage(), e);
        }
        for (TensorPlan planned : plan.tensors()) {
            if (types.get(planned.name()) != planned.to()) {
                throw new LlamaException(
                        "llama.cpp did not write " + planned.name() + " in " + planned.to() + " as it said it would");
            }
        }
    }
}
