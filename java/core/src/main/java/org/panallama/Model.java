package org.panallama;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.LongFunction;
import java.util.function.LongToIntFunction;
import org.jspecify.annotations.Nullable;
import org.panallama.fit.Placement;
import org.panallama.internal.AdapterPreflight;
import org.panallama.internal.AtomicFile;
import org.panallama.internal.NativeRuntime;
import org.panallama.spi.Binding;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A loaded GGUF model: weights, vocabulary and metadata. Immutable and thread-safe; any number of {@link Context}s can work on
 * one model at the same time, each on its own thread.
 *
 * <p>{@link #close()} closes the contexts and adapters made from the model, too.
 */
public final class Model implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Model.class);

    private final Binding binding;
    private final Handle handle;
    private final List<Path> files;
    private final ModelOptions options;
    private final Placement placement;
    private final boolean insistsOnGpu;
    private final Map<String, String> metadata;
    private final Vocab vocab;
    private @Nullable Model onCpu; // guarded by this
    private final int trainContextLength; // llama.cpp changes its own when a context scales RoPE by YaRN

    private Model(Binding binding, List<Path> files, ModelOptions options, ModelLoader.Loaded loaded) {
        long address = loaded.address();
        this.binding = binding;
        this.files = files;
        this.options = options;
        this.placement = loaded.placement();
        this.insistsOnGpu = loaded.insistsOnGpu();
        this.handle = new Handle(this, "model " + file().getFileName(), address, false, null, binding::modelFree);
        this.vocab = new Vocab(binding, handle, binding.modelVocab(address));
        this.trainContextLength = binding.modelTrainContext(address);
        Map<String, String> entries = new LinkedHashMap<>();
        for (int i = 0; i < binding.modelMetadataCount(address); i++) {
            entries.put(binding.modelMetadataKey(address, i), binding.modelMetadataValue(address, i));
        }
        this.metadata = Collections.unmodifiableMap(entries);
    }

    /** {@link #load(Path, ModelOptions)} with {@link ModelOptions#defaults()}. */
    public static Model load(Path file) {
        return load(file, ModelOptions.defaults());
    }

    /**
     * Loads a model. The file is checked before llama.cpp sees it. What goes to GPUs, where there are any, is told by an INFO
     * line and {@link #placement()}.
     *
     * @param file a GGUF file; of a model split into {@code NAME-00001-of-0000N.gguf} parts, the first one
     * @throws ModelLoadException if the file is missing, damaged, of an unknown architecture, or larger than the memory; or if
     *     the options insist on a GPU that cannot take it
     * @throws IllegalArgumentException if the options name devices that this machine does not have
     * @throws java.util.concurrent.CancellationException if the options' progress listener stopped the load
     * @throws LlamaUnavailableException if llama.cpp cannot be loaded
     */
    public static Model load(Path file, ModelOptions options) {
        return load(List.of(file), options);
    }

    /**
     * Loads a model split into parts of any name.
     *
     * @param parts the parts in their order
     * @throws ModelLoadException as {@link #load(Path, ModelOptions)}
     */
    public static Model load(List<Path> parts, ModelOptions options) {
        Objects.requireNonNull(options, "options");
        if (parts.isEmpty()) {
            throw new IllegalArgumentException("no file to load");
        }
        NativeRuntime runtime = NativeRuntime.get();
        List<Path> files = List.copyOf(parts);
        ModelLoader.Loaded loaded = new ModelLoader(runtime, files, options).load();
        return new Model(runtime.binding(), files, options, loaded);
    }

    /** {@link #newContext(ContextOptions)} with {@link ContextOptions#defaults()}. */
    public Context newContext() {
        return newContext(ContextOptions.defaults());
    }

    /**
     * Opens a context: the memory of a computation on this model. Where a GPU has no room for it, a warning says so, and it goes to
     * main memory: its KV cache, or if that does not help, the model once more, for the CPU to compute on. A model that {@linkplain
     * ModelOptions.Builder#gpuLayers insists} on the GPU refuses.
     *
     * @throws LlamaException if llama.cpp refuses, for lack of memory or since the options do not suit the model
     * @throws IllegalStateException if the model is closed, or was loaded with the vocabulary only
     */
    public Context newContext(ContextOptions options) {
        if (this.options.vocabOnly) {
            throw new IllegalStateException(handle + " was loaded with vocabOnly(true), so it cannot compute");
        }
        try {
            return new Context(this, this, binding, options);
        } catch (ContextRefusedException e) {
            if (placement.shares().isEmpty() || insistsOnGpu) {
                throw e;
            }
            LOG.warn("The model is loaded once more, for the CPU to compute on. {}", e.getMessage());
            return new Context(this, onCpu(), binding, options);
        }
    }

    /** The model once more in main memory, for contexts that no GPU takes. */
    private synchronized Model onCpu() {
        handle.enter(); // throws once this is closed
        handle.exit();
        if (onCpu == null) {
            onCpu = load(files, options.toBuilder().devices().build());
        }
        return onCpu;
    }

    /**
     * Loads a LoRA adapter in GGUF format for use with contexts of this model. The file is checked before llama.cpp sees it.
     *
     * @throws ModelLoadException if the file is missing, damaged, or made for another model
     */
    public LoraAdapter loadLora(Path adapter) {
        AdapterPreflight.check(adapter, files);
        return LoraAdapter.load(this, binding, handle, adapter);
    }

    /** The file that the model was loaded from, or the first part. */
    public Path file() {
        return files.get(0);
    }

    /**
     * Where the model's parts are, and what they were estimated to take there together with the context of {@link
     * ModelOptions.Builder#fitFor}. Without a GPU in use, {@link Placement#shares()} is empty.
     */
    public Placement placement() {
        return placement;
    }

    /** The tokens. */
    public Vocab vocab() {
        return vocab;
    }

    /** Every scalar entry of the file's metadata in its order, with values as llama.cpp prints them. Arrays are not in it. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** The architecture's name, for example {@code llama} (Mixtral has this one, too). */
    public String architecture() {
        return metadata.getOrDefault("general.architecture", "unknown");
    }

    /** The model's name in its metadata. */
    public Optional<String> name() {
        return Optional.ofNullable(metadata.get("general.name"));
    }

    /** One line: architecture, size, file type. */
    public String description() {
        return query(binding::modelDescription);
    }

    /** The quantization of most tensors, for example {@code Q4_K - Medium}. */
    public String fileType() {
        return query(address -> binding.fileTypeName(binding.modelFileType(address)));
    }

    /** Bytes of all tensors. */
    public long sizeBytes() {
        return query(binding::modelSize);
    }

    /** The number of parameters. */
    public long parameterCount() {
        return query(binding::modelParameters);
    }

    /** The longest context, in tokens, that the model was trained for. */
    public int trainContextLength() {
        return trainContextLength;
    }

    /** Width of the hidden state. */
    public int embeddingSize() {
        return number(binding::modelEmbedding);
    }

    /** Width of the embeddings that the model puts out. */
    public int outputEmbeddingSize() {
        return number(binding::modelEmbeddingOutput);
    }

    /** Width of the embeddings that an {@link Batch#embeddings embedding batch} puts in. */
    public int inputEmbeddingSize() {
        return number(binding::modelEmbeddingInput);
    }

    /** The number of layers. */
    public int layerCount() {
        return number(binding::modelLayers);
    }

    /** Attention heads of a layer. */
    public int headCount() {
        return number(binding::modelHeads);
    }

    /** Key and value heads of a layer; fewer than {@link #headCount()} with grouped-query attention. */
    public int kvHeadCount() {
        return number(binding::modelHeadsKv);
    }

    /** Width of the sliding window of attention, 0 for none. */
    public int slidingWindow() {
        return number(binding::modelSlidingWindow);
    }

    /** Experts of a layer, 0 for a dense model. */
    public int expertCount() {
        return metadataInt(architecture() + ".expert_count").orElse(0);
    }

    /** Experts that compute a token, 0 for a dense model. */
    public int expertsUsed() {
        return metadataInt(architecture() + ".expert_used_count").orElse(0);
    }

    /** The factor that RoPE frequencies are scaled by as trained. */
    public float ropeFrequencyScale() {
        return query(address -> binding.modelRopeFrequencyScale(address));
    }

    /** Whether the model has an encoder (T5, BERT-like embedders do not count). */
    public boolean hasEncoder() {
        return query(binding::modelHasEncoder);
    }

    /** Whether the model has a decoder and so can generate text. */
    public boolean hasDecoder() {
        return query(binding::modelHasDecoder);
    }

    /** The token that starts the output of an encoder-decoder model, or {@link Vocab#NO_TOKEN}. */
    public int decoderStartToken() {
        return number(binding::modelDecoderStartToken);
    }

    /** Whether the model keeps a recurrent state instead of a KV cache (Mamba, RWKV). */
    public boolean isRecurrent() {
        return query(binding::modelIsRecurrent);
    }

    /** Whether some layers are recurrent and some attend (Jamba, Granite). */
    public boolean isHybrid() {
        return query(binding::modelIsHybrid);
    }

    /** Whether the model generates by diffusion (LLaDA, Dream). */
    public boolean isDiffusion() {
        return query(binding::modelIsDiffusion);
    }

    /** The labels of a classification head; an unnamed output has an empty label. Empty for other models. */
    public List<String> classifierLabels() {
        long address = handle.enter();
        try {
            // Without the head, the number is undefined in llama.cpp.
            int count = pooling() == Pooling.RANK ? binding.modelClassifierOutputs(address) : 0;
            List<String> labels = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                labels.add(Objects.requireNonNullElse(binding.modelClassifierLabel(address, i), ""));
            }
            return List.copyOf(labels);
        } finally {
            handle.exit();
        }
    }

    /** How the model makes one vector of the embeddings of a text's tokens; {@link Pooling#NONE} if its file says nothing. */
    public Pooling pooling() {
        return Pooling.of(metadataInt(architecture() + ".pooling_type").orElse(Pooling.NONE.code()));
    }

    /** The Jinja chat template of the file. */
    public Optional<String> chatTemplate() {
        return chatTemplate(null);
    }

    /**
     * A chat template of the file by name, for example {@code tool_use}.
     *
     * @param name {@code null} for the default one
     */
    public Optional<String> chatTemplate(@Nullable String name) {
        return Optional.ofNullable(query(address -> binding.modelChatTemplate(address, name)));
    }

    /**
     * Writes the model to a file, as it is in memory. The file appears whole or not at all.
     *
     * @throws LlamaException if the file cannot be written
     * @throws IllegalStateException if the model has its vocabulary only
     */
    public void save(Path target) {
        if (options.vocabOnly) {
            throw new IllegalStateException(handle + " was loaded with vocabOnly(true), so it cannot be saved");
        }
        AtomicFile.write(
                target,
                temporary -> query(address -> {
                    binding.modelSave(address, temporary.toString());
                    return null;
                }));
    }

    /** Frees the model, after its contexts and adapters. Waits for calls in flight. */
    @Override
    public void close() {
        handle.close();
        synchronized (this) {
            if (onCpu != null) {
                onCpu.close();
            }
        }
    }

    /** Whether {@link #close()} was called. */
    public boolean isClosed() {
        return handle.isClosed();
    }

    @Override
    public String toString() {
        return handle.toString();
    }

    Handle handle() {
        return handle;
    }

    /** Whether the user wants a GPU and nothing else. */
    boolean insistsOnGpu() {
        return insistsOnGpu;
    }

    private OptionalInt metadataInt(String key) {
        return MetadataNumbers.find(metadata, key);
    }

    private int number(LongToIntFunction question) {
        return query(question::applyAsInt);
    }

    private <T> T query(LongFunction<T> question) {
        long address = handle.enter();
        try {
            return question.apply(address);
        } finally {
            handle.exit();
        }
    }
}
