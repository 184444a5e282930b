package org.panallama.tools.convert;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.panallama.LlamaException;
import org.panallama.gguf.GgufTensor;
import org.panallama.gguf.GgufValue;
import org.panallama.gguf.GgufWriter;
import org.panallama.tools.Progress;
import org.panallama.tools.internal.JsonFile;
import org.panallama.tools.internal.OutputPlace;
import org.panallama.tools.safetensors.Safetensors;

/**
 * Converts a Hugging Face checkpoint to a GGUF file: Mixtral, Llama, Mistral, Qwen2, Qwen2-MoE, Qwen3, Qwen3-MoE, OLMoE, and
 * the embedders and rerankers BERT, DistilBERT, RoBERTa, XLM-RoBERTa and Qwen3-Reranker.
 *
 * <pre>{@code
 * Converter converter = Converter.open(Path.of("Mixtral-8x7B-v0.1"), ConversionOptions.defaults());
 * converter.write(Path.of("mixtral-8x7b.f16.gguf"), Progress.NONE).warnings().forEach(System.err::println);
 * }</pre>
 *
 * <p>Everything but the numbers is checked on opening. Tensors then stream from the mapped checkpoint to the file, a few
 * megabytes at a time, so that a checkpoint of any size needs little memory. For any number of threads.
 */
public final class Converter {

    private static final int QUANTIZATION_VERSION = 2;

    private final Path folder;
    private final ConversionOptions options;
    private final Architecture architecture;
    private final Map<String, GgufValue> metadata = new LinkedHashMap<>();
    private final List<PlannedTensor> tensors;
    private final List<String> warnings = new ArrayList<>();

    private Converter(Path folder, ConversionOptions options) {
        this.folder = folder;
        this.options = options;
        if (!Files.isDirectory(folder)) {
            throw new ConversionException(folder + " is no folder; a checkpoint is a folder with config.json,"
                    + " safetensors and a tokenizer");
        }
        ModelConfig config = ModelConfig.read(folder);
        boolean reranker = Qwen3Reranker.is(folder, config);
        architecture = reranker ? Architecture.QWEN3_RERANKER : Architecture.of(config);
        // The checkpoint's own tensors first: they say whether the configuration's sizes are right.
        if (reranker) {
            warnings.add(
                    "by its name, the model is a Qwen3-Reranker: the file scores documents, and cannot write text");
        }
        Safetensors checkpoint = Safetensors.open(folder);
        List<Integer> answers = reranker ? Qwen3Reranker.answers(folder) : List.of();
        List<PlannedTensor> planned =
                TensorPlan.of(architecture, config, options.type(), checkpoint, answers, warnings);
        tensors = new ArrayList<>();
        if (!architecture.encoder()) {
            tensors.addAll(new RotaryMetadata(config, architecture.ggufName()).tensors());
        }
        tensors.addAll(planned);
        addMetadata(config);
    }

    /**
     * Reads a checkpoint's configuration, tokenizer and list of tensors.
     *
     * @param folder with {@code config.json}, {@code model.safetensors} or its shards with their index, and a tokenizer
     * @throws ConversionException if the architecture, a tensor or the tokenizer is unknown, something is missing, or things
     *     do not fit each other: the message names them
     * @throws org.panallama.tools.safetensors.SafetensorsException if a file of weights is damaged
     */
    public static Converter open(Path folder, ConversionOptions options) {
        return new Converter(folder, options);
    }

    private void addMetadata(ModelConfig config) {
        JsonFile generation =
                JsonFile.readIfPresent(folder.resolve("generation_config.json"), ConversionException::new);
        ModelCard card = ModelCard.read(folder, warnings);
        metadata.put("general.architecture", GgufValue.string(architecture.ggufName()));
        metadata.put("general.type", GgufValue.string("model"));
        SamplingMetadata.add(generation, metadata);
        List<ModelId> ids = ids(config);
        metadata.put("general.name", GgufValue.string(name(card, ids)));
        card.addTo(metadata, ids, SizeLabel.of(tensors));
        new Hyperparameters(architecture, config, metadata, warnings).add(folder);
        metadata.put("general.file_type", GgufValue.uint32(options.type().fileType()));
        metadata.put("general.quantization_version", GgufValue.uint32(QUANTIZATION_VERSION));
        TokenizerMetadata.add(TokenizerSource.read(folder, architecture, config, generation, warnings), metadata);
    }

    /** Some configurations state the id on Hugging Face, others a path of the machine that trained them. */
    private List<ModelId> ids(ModelConfig config) {
        List<ModelId> ids = new ArrayList<>();
        config.json()
                .string("_name_or_path")
                .filter(origin -> origin.matches("[^/.][^/]*(/[^/]+)?"))
                .ifPresent(origin -> ids.add(ModelId.of(origin)));
        Path last = folder.toAbsolutePath().normalize().getFileName();
        ids.add(ModelId.of(last == null ? "model" : last.toString()));
        return ids;
    }

    private String name(ModelCard card, List<ModelId> ids) {
        String stated = options.name();
        return stated != null
                ? stated
                : card.name().orElseGet(() -> ModelCard.title(ids.get(0).name()));
    }

    /** llama.cpp's name of the architecture, for instance {@code llama} for Mixtral. */
    public String architecture() {
        return architecture.ggufName();
    }

    /** The tensors that will be written. */
    public List<GgufTensor> tensors() {
        return tensors.stream().map(PlannedTensor::tensor).toList();
    }

    /** Size of their data. The file is a little larger: a tokenizer takes a few megabytes. */
    public long bytes() {
        return tensors.stream().mapToLong(tensor -> tensor.tensor().bytes()).sum();
    }

    /** The metadata that will be written. */
    public Map<String, GgufValue> metadata() {
        return Map.copyOf(metadata);
    }

    /**
     * Writes the file.
     *
     * @param target it appears when it is complete, in the place of one that is there, unless that is a file of the checkpoint
     * @param progress is told the part that is done
     * @throws LlamaException if the disk has no room, a file cannot be written, or the checkpoint changed
     * @throws java.util.concurrent.CancellationException if {@code progress} said so; nothing is left behind then
     */
    public ConversionReport write(Path target, Progress progress) {
        try {
            OutputPlace.requireFile(target, List.of(folder));
            try (GgufWriter writer = GgufWriter.create(target, metadata, tensors())) {
                TensorWriter stream = new TensorWriter(writer, options.threads(), progress, bytes());
                stream.write(tensors);
                writer.finish();
                return report(stream);
            }
        } catch (IOException e) {
            throw OutputPlace.failed(target, e);
        }
    }

    private ConversionReport report(TensorWriter stream) {
        List<String> all = new ArrayList<>(warnings);
        stream.overflown()
                .forEach(name -> all.add("'" + name + "' has values beyond 65504, which are infinite in "
                        + options.type() + ": convert to BF16 or F32"));
        return new ConversionReport(tensors.size(), bytes(), all);
    }
}
