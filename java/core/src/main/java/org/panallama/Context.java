package org.panallama;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.LogRouter;
import org.panallama.internal.NativeRuntime;
import org.panallama.internal.Require;
import org.panallama.spi.Binding;
import org.panallama.spi.PerfData;

/**
 * A computation on a {@link Model}: it takes tokens, remembers them, and puts out logits or embeddings.
 *
 * <p>Serves one thread at a time and says so when it finds two inside; only {@link #cancel()} may be called from any thread.
 * {@link #close()} waits for the call in flight.
 */
public final class Context implements AutoCloseable {

    private final Model model;
    private final Model loaded;
    private final Binding binding;
    private final Handle handle;
    private final LogRouter log;
    private final AbortFlag abort;
    private final @Nullable Observation observation;
    private final AdaptersInUse adapters = new AdaptersInUse();
    private final ContextMemory memory;
    private final ContextState state;
    private final long memoryAddress;
    private final int vocabSize;
    private final int positions;
    private final int length;
    private final int sequenceLength;
    private final int batchSize;
    private final int microBatchSize;
    private final int sequences;
    private final Pooling pooling;
    private final boolean sharedCache;
    private final boolean embeddings;
    private final boolean causal;
    private final Decoder decoder;
    private final Transcript transcript;
    private volatile @Nullable Generation generation;

    /**
     * @param model that it is for
     * @param loaded that it computes on: the same, or the one that {@link Model#newContext} loads once more
     */
    Context(Model model, Model loaded, Binding binding, ContextOptions options) {
        Handle parent = loaded.handle();
        this.model = model;
        this.loaded = loaded;
        this.binding = binding;
        this.log = NativeRuntime.get().log();
        this.abort = new AbortFlag(binding);
        this.observation = options.observer == null ? null : new Observation(options.observer, binding, abort);
        this.embeddings = options.embeddings;
        this.sharedCache = options.sharedCache || options.sequences == 1;
        long address = 0;
        // Inside until all is told: a model that another thread closes meanwhile waits, and closes this context.
        long modelAddress = parent.enter();
        try {
            address = new ContextLoader(loaded, binding, log, options).open(modelAddress, abort.address(), observation);
            AbortFlag flag = abort;
            AdaptersInUse inUse = adapters;
            this.handle = new Handle(this, "context of " + model, address, true, parent, context -> {
                binding.contextFree(context);
                flag.free();
                inUse.replace(List.of());
            });
            this.memoryAddress = binding.memory(address);
            this.vocabSize = model.vocab().size();
            this.positions = LearnedPositions.count(model);
            this.length = binding.contextLength(address);
            this.sequenceLength = binding.contextLengthPerSequence(address);
            this.batchSize = binding.contextBatch(address);
            this.microBatchSize = binding.contextMicroBatch(address);
            this.pooling = Pooling.of(binding.contextPooling(address));
        } finally {
            parent.exit();
            if (address == 0) {
                abort.free();
            }
        }
        this.sequences = options.sequences;
        this.causal = options.attention == AttentionType.FROM_MODEL
                ? !"false".equals(model.metadata().get(model.architecture() + ".attention.causal"))
                : options.attention == AttentionType.CAUSAL;
        this.memory = new ContextMemory(this, binding, handle);
        this.state = new ContextState(this, binding, handle);
        this.decoder = new Decoder(this, binding, handle);
        this.transcript = new Transcript(this, binding, handle);
    }

    /** The model that this context computes on. */
    public Model model() {
        return model;
    }

    /** Tokens that fit into the context, of all sequences together. */
    public int length() {
        return length;
    }

    /** Tokens that fit into one sequence. */
    public int sequenceLength() {
        return sequenceLength;
    }

    /** Most tokens of one batch. */
    public int batchSize() {
        return batchSize;
    }

    /** Most tokens that are computed at once. */
    public int microBatchSize() {
        return microBatchSize;
    }

    /** The number of sequences. */
    public int sequences() {
        return sequences;
    }

    /** How embeddings of tokens become one of a sequence. */
    public Pooling pooling() {
        return pooling;
    }

    /** What the context remembers. */
    public ContextMemory memory() {
        return memory;
    }

    /** Saving and restoring what the context remembers. */
    public ContextState state() {
        return state;
    }

    /** Generates text after a prompt, with {@link GenerationOptions#defaults()}; see {@link Generation}. */
    public Generation generate(String prompt, Sampler sampler) {
        return generate(prompt, sampler, GenerationOptions.defaults());
    }

    /**
     * Generates text after a prompt. What the context remembers of sequence 0 is forgotten, but for a common beginning.
     *
     * @param prompt text in which special tokens are recognised; the model's BOS is added
     * @throws ContextFullException if the prompt is longer than the context
     */
    public Generation generate(String prompt, Sampler sampler, GenerationOptions options) {
        return generate(model.vocab().tokenize(prompt), sampler, options);
    }

    /**
     * Generates text after a prompt of tokens.
     *
     * @throws IllegalArgumentException if the prompt is empty or has tokens that are not in the vocabulary
     * @throws ContextFullException if the prompt is longer than the context
     */
    public Generation generate(int[] prompt, Sampler sampler, GenerationOptions options) {
        return new Generation(this, prompt, sampler, options);
    }

    /**
     * Computes a batch.
     *
     * @throws IllegalArgumentException if the batch is empty, larger than {@link #batchSize()}, or names tokens or sequences
     *     that are not there
     * @throws DecodeException if llama.cpp refuses: positions that do not follow on what it remembers, no room
     * @throws CancellationException if another thread called {@link #cancel()}
     */
    public void decode(Batch batch) {
        transcript.forget();
        decoder.compute(batch, false);
    }

    /**
     * Computes a batch with the encoder of an encoder-decoder model, or the whole of an encoder-only one.
     *
     * @see #decode(Batch)
     */
    public void encode(Batch batch) {
        transcript.forget();
        decoder.compute(batch, true);
    }

    /**
     * Appends tokens to sequence 0, in as many batches as needed; the last one's logits are wanted.
     *
     * @throws ContextFullException if they do not fit; nothing was computed then
     * @see #decode(Batch)
     */
    public void decode(int... tokens) {
        transcript.append(tokens, 0, tokens.length);
    }

    /**
     * Stops the computation that another thread has under way on this context, also in the midst of a prompt; that thread gets
     * a {@link CancellationException}, or a {@link Generation} that ends with {@link FinishReason#CANCELLED}. Does nothing if
     * there is none. May be called from any thread.
     */
    public void cancel() {
        Generation active = generation;
        if (active != null) {
            active.requestCancel();
        }
        abort.raise();
    }

    void startGeneration(Generation started) {
        generation = started;
    }

    boolean isGenerating(Generation asked) {
        return generation == asked;
    }

    Decoder decoder() {
        return decoder;
    }

    Transcript transcript() {
        return transcript;
    }

    /** The most tokens that a batch of text can have: without causal attention, it has to fit into one micro-batch. */
    int textBatchSize() {
        return causal && memoryAddress != 0 ? batchSize : microBatchSize;
    }

    AbortFlag abort() {
        return abort;
    }

    @Nullable Observation observation() {
        return observation;
    }

    /**
     * The logits after a token of the last batch: one number for each entry of the vocabulary.
     *
     * @param index the token's index in the batch, which must have asked for its output; -1 for the last output
     * @throws IllegalArgumentException if there is no such output
     */
    public FloatView logits(int index) {
        long address = handle.enter();
        try {
            return view(decoder.quietly(() -> binding.logits(address, index)), vocabSize, "logits", index);
        } finally {
            handle.exit();
        }
    }

    /**
     * The log-probability that the model gives a token, with the likeliest ones beside it.
     *
     * @param index as for {@link #logits}: of the token that it would follow
     * @param token its id
     * @param top how many of the likeliest to add
     * @throws IllegalArgumentException if there is no such output
     */
    public TokenLogprob logprob(int index, int token, int top) {
        Require.index("token", token, vocabSize);
        Require.inRange("top", top, 0, Integer.MAX_VALUE);
        return Logprobs.of(model.vocab(), logits(index), token, top);
    }

    /**
     * The embedding of a token of the last batch.
     *
     * @param index the token's index in the batch, which must have asked for its output; -1 for the last output
     * @throws IllegalArgumentException if there is no such output, as in a context without {@code embeddings(true)}
     */
    public FloatView embedding(int index) {
        long address = handle.enter();
        try {
            return view(
                    embeddings ? decoder.quietly(() -> binding.embeddings(address, index)) : 0,
                    model.outputEmbeddingSize(),
                    "embedding",
                    index);
        } finally {
            handle.exit();
        }
    }

    /**
     * The pooled embedding of a sequence of the last batch; in a context with {@link Pooling#RANK}, the outputs of the
     * classification head.
     *
     * @throws IllegalArgumentException if there is none, as in a context with {@link Pooling#NONE}
     */
    public FloatView sequenceEmbedding(int sequence) {
        Require.index("sequence", sequence, sequences);
        long address = handle.enter();
        try {
            int size = pooling == Pooling.RANK
                    ? Math.max(1, model.classifierLabels().size())
                    : model.outputEmbeddingSize();
            long values = embeddings && pooling != Pooling.NONE ? binding.embeddingsOfSequence(address, sequence) : 0;
            return view(values, size, "embedding of sequence", sequence);
        } finally {
            handle.exit();
        }
    }

    private FloatView view(long values, int size, String what, int index) {
        if (values == 0) {
            throw new IllegalArgumentException("the last computation put out no " + what + " " + index);
        }
        ByteBuffer floats = binding.view(values, size * Float.BYTES);
        return new FloatView(handle, floats, decoder.computations(), decoder::computations);
    }

    /** {@link #setLora(Map)} with one adapter at full strength. */
    public void setLora(LoraAdapter adapter) {
        setLora(Map.of(adapter, 1f));
    }

    /**
     * Sets the adapters that take part from the next computation on, in place of the ones before; none with an empty map. What
     * the context remembers was computed with the earlier ones.
     *
     * @param scales the adapters with their strength, 1 for what they were trained for
     * @throws IllegalArgumentException if an adapter was loaded for another model
     */
    public void setLora(Map<LoraAdapter, Float> scales) {
        List<LoraAdapter> chosen = new ArrayList<>();
        float[] strengths = new float[scales.size()];
        long[] addresses = new long[scales.size()];
        long address = handle.enter();
        try {
            for (LoraAdapter adapter : scales.keySet()) {
                if (adapter.model() != model) {
                    throw new IllegalArgumentException(
                            adapter + " was loaded for " + adapter.model() + ", not for " + model);
                }
                LoraAdapter own = adapter.on(loaded);
                strengths[chosen.size()] = Require.finite("scale", scales.get(adapter));
                addresses[chosen.size()] = own.handle().enter();
                chosen.add(own);
            }
            if (binding.contextSetLora(address, addresses, strengths) != 0) {
                throw new LlamaException("llama.cpp refuses the adapters " + chosen);
            }
            adapters.replace(chosen.stream().map(LoraAdapter::weights).toList());
            transcript.forget();
        } finally {
            chosen.forEach(adapter -> adapter.handle().exit());
            handle.exit();
        }
    }

    /**
     * Adds a control vector to the hidden state of layers (Zou et al. 2023, arXiv 2310.01405).
     *
     * @param vectors one row of {@link Model#embeddingSize()} numbers for each layer from 1 on; empty to remove the vector
     * @param firstLayer first layer it applies to, from 1
     * @param lastLayer last layer it applies to
     */
    public void setControlVector(float[] vectors, int firstLayer, int lastLayer) {
        int width = model.embeddingSize();
        if (vectors.length % width != 0 || vectors.length / width >= model.layerCount() + 1) {
            throw new IllegalArgumentException("the control vector has " + vectors.length + " numbers, must have "
                    + width + " for each of at most " + (model.layerCount() - 1) + " layers");
        }
        long address = handle.enter();
        try {
            if (binding.contextSetControlVector(address, vectors.clone(), width, firstLayer, lastLayer) != 0) {
                throw new LlamaException("llama.cpp refuses the control vector");
            }
        } finally {
            handle.exit();
        }
    }

    /** Sets the CPU threads for single tokens and for batches. */
    public void setThreads(int threads, int batchThreads) {
        Require.inRange("threads", threads, 1, ContextOptions.Builder.MAX_THREADS);
        Require.inRange("batchThreads", batchThreads, 1, ContextOptions.Builder.MAX_THREADS);
        long address = handle.enter();
        try {
            binding.contextSetThreads(address, threads, batchThreads);
        } finally {
            handle.exit();
        }
    }

    /** CPU threads for single tokens. */
    public int threads() {
        long address = handle.enter();
        try {
            return binding.contextThreads(address);
        } finally {
            handle.exit();
        }
    }

    /** CPU threads for batches. */
    public int batchThreads() {
        long address = handle.enter();
        try {
            return binding.contextThreadsBatch(address);
        } finally {
            handle.exit();
        }
    }

    /** Counters and times; all zero with {@code counters(false)}. */
    public PerformanceCounters counters() {
        long address = handle.enter();
        try {
            binding.contextSynchronize(address); // which is when llama.cpp counts
            PerfData data = binding.perf(address);
            return new PerformanceCounters(
                    data.promptMs() == 0 ? 0 : data.promptTokens(), // llama.cpp says 1 for none
                    time(data.promptMs()),
                    data.decodeMs() == 0 ? 0 : data.decodeTokens(),
                    time(data.decodeMs()),
                    data.graphsReused());
        } finally {
            handle.exit();
        }
    }

    /** Sets the counters to zero. */
    public void resetCounters() {
        long address = handle.enter();
        try {
            binding.perfReset(address);
        } finally {
            handle.exit();
        }
    }

    private static Duration time(double ms) {
        return Duration.ofNanos((long) (ms * 1e6));
    }

    /** Frees the context. Waits for the call in flight. */
    @Override
    public void close() {
        handle.close();
    }

    /** Whether {@link #close()} was called, on this object or its model. */
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

    Binding binding() {
        return binding;
    }

    long memoryAddress() {
        return memoryAddress;
    }

    /** Whether the sequences share their room, so that a part of one can be copied to another for nothing. */
    public boolean sharesCache() {
        return sharedCache;
    }

    /** Positions that the model knows; see {@link LearnedPositions}. */
    int positions() {
        return positions;
    }

    int vocabSize() {
        return vocabSize;
    }

    /** The last position of a sequence, -1 if it is empty. The caller is inside the handle. */
    int lastPosition(int sequence) {
        return memoryAddress == 0 ? -1 : binding.memoryMaxPosition(memoryAddress, sequence);
    }
}
