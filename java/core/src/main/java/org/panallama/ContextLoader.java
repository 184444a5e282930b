package org.panallama;

import java.util.Deque;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.LogRouter;
import org.panallama.internal.PhysicalMemory;
import org.panallama.spi.Binding;
import org.panallama.spi.ContextParams;
import org.panallama.spi.EvaluationSink;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens one context: settles the options against the model, checks the memory, calls llama.cpp, explains what went wrong. */
final class ContextLoader {

    private static final Logger LOG = LoggerFactory.getLogger(Context.class);
    private static final String GPU_ADVICE =
            " Where the GPU's memory is at fault, load the model with fewer ModelOptions.gpuLayers(), or open a shorter context"
                    + " or one with ContextOptions.offloadKv(false).";

    private final Model model;
    private final Binding binding;
    private final LogRouter log;
    private final ContextOptions options;
    private final int length;

    ContextLoader(Model model, Binding binding, LogRouter log, ContextOptions options) {
        this.model = model;
        this.binding = binding;
        this.log = log;
        this.options = options;
        this.length = options.length(model.trainContextLength());
    }

    /**
     * @param abortFlag see {@link ContextParams#abortFlag()}
     * @param observation see {@link ContextParams#evaluation()}
     * @return the native context
     */
    long open(long modelAddress, long abortFlag, @Nullable EvaluationSink observation) {
        checkCacheTypes();
        checkSequences();
        checkMemory();
        warnIfLongerThanTrained();
        Deque<String> kept = LogRouter.newKeeper();
        boolean onGpu = options.offloadKv && model.placement().gpuLayers() > 0;
        long address = open(modelAddress, params(abortFlag, observation, onGpu), kept);
        if (address == 0 && onGpu && !model.insistsOnGpu()) {
            LOG.warn(
                    "The GPU does not take a context of {} tokens, and its KV cache is put into main memory.{}",
                    length,
                    LogRouter.explain(kept));
            kept.clear();
            address = open(modelAddress, params(abortFlag, observation, false), kept);
        }
        if (address == 0) {
            throw new ContextRefusedException("llama.cpp cannot open a context of " + length + " tokens for " + model
                    + "." + (model.placement().gpuLayers() == 0 ? "" : GPU_ADVICE) + LogRouter.explain(kept));
        }
        return address;
    }

    private long open(long modelAddress, ContextParams params, Deque<String> kept) {
        return log.keeping(kept, () -> binding.contextNew(modelAddress, params));
    }

    /** llama.cpp has an output for each sequence in mind, and no more outputs than a batch has tokens. */
    private void checkSequences() {
        int most = Math.min(options.batch, length);
        if (options.sequences > most) {
            throw new IllegalArgumentException("sequences is " + options.sequences
                    + ", must be at most the number of tokens in a batch and in the context, which is " + most);
        }
    }

    /**
     * The micro-batch, cut to a multiple of the sequences where it matters: llama.cpp ends the process when it prepares the graph
     * of a mean over anything else.
     */
    private int microBatch() {
        Pooling pooling = options.pooling == Pooling.FROM_MODEL ? model.pooling() : options.pooling;
        boolean mean = pooling == Pooling.MEAN || pooling == Pooling.RANK;
        if (!mean || !options.embeddings || options.sequences == 1) {
            return options.microBatch;
        }
        int tokens = Math.min(options.microBatch, length);
        if (tokens < options.sequences) {
            throw new IllegalArgumentException(
                    "microBatch is " + tokens + ", must be at least the number of sequences, " + options.sequences
                            + ", for embeddings with pooling");
        }
        return tokens - tokens % options.sequences;
    }

    private void checkCacheTypes() {
        if (options.valueType.blockSize() > 1 && options.flashAttention == FlashAttention.OFF) {
            throw new IllegalArgumentException("a KV cache with values of type " + options.valueType
                    + " needs flash attention; choose FlashAttention.AUTO or ON, or F16 values");
        }
        checkHeads("key", options.keyType);
        checkHeads("value", options.valueType);
    }

    private void checkHeads(String what, TensorType type) {
        int headCount = model.headCount();
        if (type.blockSize() == 1 || headCount == 0) {
            return;
        }
        int width = MetadataNumbers.find(model.metadata(), model.architecture() + ".attention." + what + "_length")
                .orElseGet(() -> model.embeddingSize() / headCount);
        if (width % type.blockSize() != 0) {
            throw new IllegalArgumentException("a KV cache of type " + type + " holds blocks of " + type.blockSize()
                    + " numbers, into which a " + what + " of " + width + " numbers cannot be divided; choose F16");
        }
    }

    /** A cache larger than the memory would end the process when it is first written. */
    private void checkMemory() {
        if (model.isRecurrent() || model.isHybrid()) {
            return; // their cache does not grow with the context, or not in every layer
        }
        long bytes = options.caches()
                * KvCacheSize.bytes(
                        model.metadata(),
                        options.cacheLength(model.trainContextLength()),
                        options.keyType,
                        options.valueType);
        long memory = PhysicalMemory.totalBytes();
        if (bytes > memory) {
            throw new LlamaException(String.format(
                    Locale.ROOT,
                    "A context of %d tokens needs %.1f GB for its KV cache, and this machine has %.1f GB of memory. Choose a"
                            + " shorter context, or a smaller type with ContextOptions.kvTypes(Q8_0, Q8_0).",
                    length,
                    bytes / 1e9,
                    memory / 1e9));
        }
    }

    private void warnIfLongerThanTrained() {
        int trained = model.trainContextLength();
        boolean shared = options.embeddings && options.sequences > 1; // by texts that are short of it
        boolean stretched = options.ropeFrequencyScale != 0 || options.ropeScaling != RopeScaling.FROM_MODEL;
        if (trained > 0 && length > trained && !stretched && !shared) {
            LOG.warn(
                    "A context of {} tokens is longer than the {} that {} was trained for; beyond those, its text decays unless"
                            + " RoPE is scaled, see ContextOptions.ropeScaling()",
                    length,
                    trained,
                    model);
        }
    }

    /** Always stated: llama.cpp would take the trained length, which an earlier context with YaRN may have changed. */
    private int originalLength() {
        if (options.yarnOriginalLength != 0) {
            return options.yarnOriginalLength;
        }
        return MetadataNumbers.find(model.metadata(), model.architecture() + ".rope.scaling.original_context_length")
                .orElseGet(model::trainContextLength);
    }

    private ContextParams params(long abortFlag, @Nullable EvaluationSink observation, boolean cacheOnGpu) {
        return new ContextParams(
                length,
                options.batch,
                microBatch(),
                options.sequences,
                options.threads,
                options.batchThreads,
                options.ropeScaling.code(),
                options.pooling.code(),
                options.attention.code(),
                options.flashAttention.code(),
                options.ropeFrequencyBase,
                options.ropeFrequencyScale,
                options.yarnExtrapolation,
                options.yarnAttention,
                options.yarnBetaFast,
                options.yarnBetaSlow,
                originalLength(),
                options.keyType.id(),
                options.valueType.id(),
                abortFlag,
                options.embeddings,
                cacheOnGpu,
                !options.counters,
                options.offloadOperations,
                options.fullSlidingWindow,
                // For a single sequence it is the same cache, but for a shared one llama.cpp compares all 256 possible
                // sequences
                // with each other at every call: 40 microseconds.
                options.sharedCache && options.sequences > 1,
                observation);
    }
}
