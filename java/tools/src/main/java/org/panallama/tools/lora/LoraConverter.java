package org.panallama.tools.lora;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.panallama.LlamaException;
import org.panallama.gguf.GgufTensor;
import org.panallama.gguf.GgufType;
import org.panallama.gguf.GgufValue;
import org.panallama.gguf.GgufWriter;
import org.panallama.tools.Progress;
import org.panallama.tools.convert.ConversionOptions;
import org.panallama.tools.convert.ConversionReport;
import org.panallama.tools.internal.OutputPlace;

/**
 * Converts an adapter that PEFT saved to a GGUF file, for {@link org.panallama.Model#loadLora}: attention,
 * feed-forward, experts and their router, and what {@code modules_to_save} lists.
 *
 * <pre>{@code
 * ConversionOptions options = ConversionOptions.builder().type(ConversionType.F32).build();
 * LoraConverter.open(Path.of("chinese-mixtral-lora"), Path.of("Mixtral-8x7B-v0.1"), options)
 *         .write(Path.of("chinese-mixtral-lora.gguf"), Progress.NONE);
 * }</pre>
 *
 * <p>A module that the adapter holds whole becomes a pair of full rank: its difference to the base times the identity.
 * Such a file is as large as these modules; the base's weights are needed for it, otherwise only its
 * {@code config.json}.
 *
 * <p>Everything but the numbers is checked on opening. For any number of threads.
 */
public final class LoraConverter {

    private static final int QUANTIZATION_VERSION = 2;

    private final ConversionOptions options;
    private final List<AdapterTensors.Planned> tensors;
    private final List<Path> inputs;
    private final Map<String, GgufValue> metadata = new LinkedHashMap<>();

    private LoraConverter(PeftAdapter adapter, BaseModel base, ConversionOptions options) {
        this.inputs = List.of(adapter.folder(), base.location());
        this.options = options;
        double alpha = alpha(adapter.config());
        this.tensors = AdapterTensors.of(adapter, base, alpha, options.type().format());
        String stated = options.name();
        metadata.put("general.architecture", GgufValue.string(base.names().architecture()));
        metadata.put("general.type", GgufValue.string("adapter"));
        metadata.put("general.name", GgufValue.string(stated != null ? stated : name(adapter.folder())));
        metadata.put("adapter.type", GgufValue.string("lora"));
        metadata.put("adapter.lora.alpha", GgufValue.float32((float) alpha));
        List<Integer> tokens = adapter.config().invocationTokens();
        if (!tokens.isEmpty()) {
            long[] ids = tokens.stream().mapToLong(id -> id).toArray();
            metadata.put("adapter.alora.invocation_tokens", GgufValue.integers(GgufType.UINT32, ids));
        }
        metadata.put("general.file_type", GgufValue.uint32(options.type().fileType()));
        metadata.put("general.quantization_version", GgufValue.uint32(QUANTIZATION_VERSION));
    }

    /** llama.cpp takes 0 for "no scale at all". As a float, since that is what it will divide. */
    private static double alpha(AdapterConfig config) {
        float alpha = (float) config.effectiveAlpha();
        return alpha == 0 ? config.rank() : alpha;
    }

    private static String name(Path folder) {
        Path last = folder.toAbsolutePath().normalize().getFileName();
        return last == null ? "adapter" : last.toString();
    }

    /**
     * Reads an adapter and finds its tensors in the base.
     *
     * @param adapter folder with {@code adapter_config.json} and {@code adapter_model.safetensors}
     * @param base the checkpoint's folder, or the model as a GGUF file
     * @param options type of the matrices, threads, name
     * @throws LoraException if the adapter is of another kind or does not fit the base: the message lists tensors and
     *     shapes
     * @throws org.panallama.tools.convert.ConversionException if the base is of an unknown architecture
     * @throws org.panallama.tools.safetensors.SafetensorsException if a file of weights is damaged
     */
    public static LoraConverter open(Path adapter, Path base, ConversionOptions options) {
        return new LoraConverter(PeftAdapter.read(adapter), BaseModel.open(base), options);
    }

    /** The tensors that will be written. */
    public List<GgufTensor> tensors() {
        return tensors.stream().map(AdapterTensors.Planned::tensor).toList();
    }

    /** Size of their data. */
    public long bytes() {
        return tensors.stream().mapToLong(planned -> planned.tensor().bytes()).sum();
    }

    /** The metadata that will be written. */
    public Map<String, GgufValue> metadata() {
        return Map.copyOf(metadata);
    }

    /**
     * Writes the file.
     *
     * @param target it appears when it is complete, in the place of one that is there, unless that is read for it
     * @param progress is told the part that is done
     * @throws LlamaException if the disk has no room, a file cannot be written, or the adapter or base changed
     * @throws java.util.concurrent.CancellationException if {@code progress} said so; nothing is left behind then
     */
    public ConversionReport write(Path target, Progress progress) {
        List<String> warnings = new ArrayList<>();
        ByteCount count = new ByteCount(bytes(), progress);
        try {
            OutputPlace.requireFile(target, inputs);
            try (GgufWriter writer = GgufWriter.create(target, metadata, tensors());
                    MatrixStream stream = new MatrixStream(options.threads())) {
                for (AdapterTensors.Planned planned : tensors) {
                    boolean overflow =
                            stream.write(planned.matrix(), planned.tensor().ggmlType(), data -> {
                                int bytes = data.remaining();
                                writer.write(data);
                                count.add(bytes);
                            });
                    if (overflow) {
                        warnings.add(MergeReport.overflow(
                                planned.tensor().name(), planned.tensor().ggmlType()));
                    }
                }
                writer.finish();
            }
        } catch (IOException e) {
            throw OutputPlace.failed(target, e);
        }
        return new ConversionReport(tensors.size(), bytes(), warnings);
    }
}
