package org.panallama.tools.lora;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.panallama.LlamaException;
import org.panallama.gguf.GgmlType;
import org.panallama.gguf.GgufEditor;
import org.panallama.gguf.GgufFile;
import org.panallama.gguf.GgufTensor;
import org.panallama.tools.Progress;
import org.panallama.tools.internal.OutputPlace;

/**
 * Merges adapters into a model in GGUF format, as {@link CheckpointMerger} does into a checkpoint: adapters as PEFT
 * saves them, for the architectures that {@link org.panallama.tools.convert.Converter} knows, and adapters in GGUF
 * format for any. The tensors that change must be F32, F16, BF16 or Q8_0, and keep their type; Q8_0 is quantized again.
 *
 * <pre>{@code
 * GgufMerger.open(Path.of("mixtral.f16.gguf"), List.of(WeightedAdapter.of(Path.of("lora"))),
 *                 MergeOptions.defaults())
 *         .write(Path.of("chinese-mixtral.f16.gguf"), Progress.NONE);
 * }</pre>
 *
 * <p>For any number of threads.
 */
public final class GgufMerger {

    private static final String EMBEDDING = "token_embd.weight";

    private final GgufFile base;
    private final List<Path> inputs;
    private final Map<String, List<Change>> changes;
    private final MergeOptions options;

    private GgufMerger(GgufFile base, List<Path> inputs, Map<String, List<Change>> changes, MergeOptions options) {
        this.base = base;
        this.inputs = inputs;
        this.changes = changes;
        this.options = options;
    }

    /**
     * Reads the adapters and finds their tensors in the base.
     *
     * @param base a model in one GGUF file
     * @param adapters at least one
     * @param options threads
     * @throws IllegalArgumentException if there is no adapter, or the options name a type
     * @throws LoraException if an adapter is of another kind or does not fit the base, or a tensor that it changes is
     *     of a type that cannot be written: the message lists them
     * @throws LlamaException if a file cannot be read or is damaged
     */
    public static GgufMerger open(Path base, List<WeightedAdapter> adapters, MergeOptions options) {
        if (adapters.isEmpty()) {
            throw new IllegalArgumentException("there is no adapter, at least one is needed");
        }
        if (options.type() != null) {
            throw new IllegalArgumentException("type is " + options.type()
                    + ", but tensors of a GGUF file keep their own: merge first, then quantize the result to"
                    + " another type");
        }
        GgufFile file = BaseModel.openGguf(base);
        Misfits.refuse(
                base + " has names of tensors that are longer than the " + GgufTensor.MAX_NAME_BYTES
                        + " bytes that can be written",
                file.tensors().stream()
                        .map(GgufTensor::name)
                        .filter(name -> name.getBytes(StandardCharsets.UTF_8).length > GgufTensor.MAX_NAME_BYTES)
                        .toList());
        Map<String, List<Change>> changes = new LinkedHashMap<>();
        for (WeightedAdapter adapter : adapters) {
            if (Files.isDirectory(adapter.location())) {
                new PeftChanges(file, PeftAdapter.read(adapter.location()), adapter.weight()).addTo(changes);
            } else {
                new GgufAdapterChanges(file, adapter).addTo(changes);
            }
        }
        TreeSet<String> types = new TreeSet<>();
        changes.keySet().stream()
                .map(name -> file.tensor(name).orElseThrow().ggmlType())
                .filter(type -> !GgufMatrix.TYPES.contains(type))
                .forEach(type -> types.add(type.toString()));
        if (!types.isEmpty()) {
            throw new LoraException("tensors that the adapters change are " + String.join(", ", types) + " in " + base
                    + ", which would have to be quantized a second time: merge into an F16, BF16, F32 or Q8_0 file"
                    + " of the"
                    + " model, and quantize the result (panallama quantize)");
        }
        List<Path> inputs = new ArrayList<>(List.of(base));
        adapters.forEach(adapter -> inputs.add(adapter.location()));
        return new GgufMerger(file, inputs, changes, options);
    }

    /** Size of the tensors that will be written. */
    public long bytes() {
        return base.tensors().stream().mapToLong(GgufTensor::bytes).sum();
    }

    /**
     * Writes the merged model, with the base's metadata and order of tensors.
     *
     * @param target it appears when it is complete, in the place of one that is there, unless that is the base or an adapter
     * @param progress is told the part that is done
     * @throws LlamaException if the disk has no room, a file cannot be written, or the base or an adapter changed
     * @throws java.util.concurrent.CancellationException if {@code progress} said so; nothing is left behind then
     */
    public MergeReport write(Path target, Progress progress) {
        List<String> warnings = new ArrayList<>();
        if (changes.containsKey(EMBEDDING) && base.tensor("output.weight").isEmpty()) {
            warnings.add("the base's output matrix is its embedding, so that both change with '" + EMBEDDING + "'");
        }
        try (MatrixStream stream = new MatrixStream(options.threads())) {
            OutputPlace.requireFile(target, inputs);
            GgufEditor editor = GgufEditor.of(base).progress(progress::onProgress);
            changes.forEach((name, own) -> {
                GgufTensor tensor = base.tensor(name).orElseThrow();
                GgmlType format = tensor.ggmlType();
                editor.replaceTensor(name, tensor, writer -> {
                    Matrix matrix = new MergedMatrix(GgufMatrix.of(base, tensor), own);
                    if (stream.write(matrix, format, writer::write)) {
                        warnings.add(MergeReport.overflow(name, format));
                    }
                });
            });
            editor.writeTo(target);
        } catch (IOException e) {
            throw OutputPlace.failed(target, e);
        }
        return new MergeReport(changes.size(), base.tensors().size(), bytes(), warnings);
    }
}
