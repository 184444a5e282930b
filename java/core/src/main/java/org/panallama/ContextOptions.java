package org.panallama;

import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.CpuTopology;
import org.panallama.internal.Require;

/** How a context computes, and how much memory it takes. Immutable. */
public final class ContextOptions {

    /** The length of a context that nobody asked for, unless the model was trained for less. */
    public static final int DEFAULT_LENGTH = 4096;

    private static final ContextOptions DEFAULTS = builder().build();

    final int length;
    final int batch;
    final int microBatch;
    final int sequences;
    final int threads;
    final int batchThreads;
    final FlashAttention flashAttention;
    final TensorType keyType;
    final TensorType valueType;
    final RopeScaling ropeScaling;
    final float ropeFrequencyBase;
    final float ropeFrequencyScale;
    final float yarnExtrapolation;
    final float yarnAttention;
    final float yarnBetaFast;
    final float yarnBetaSlow;
    final int yarnOriginalLength;
    final Pooling pooling;
    final AttentionType attention;
    final boolean embeddings;
    final boolean offloadKv;
    final boolean offloadOperations;
    final boolean fullSlidingWindow;
    final boolean sharedCache;
    final boolean counters;
    final @Nullable NodeObserver observer;

    private ContextOptions(Builder builder) {
        length = builder.length;
        batch = builder.batch;
        microBatch = Math.min(builder.microBatch, builder.batch);
        sequences = builder.sequences;
        threads = builder.threads;
        batchThreads = builder.batchThreads == 0 ? builder.threads : builder.batchThreads;
        flashAttention = builder.flashAttention;
        keyType = builder.keyType;
        valueType = builder.valueType;
        ropeScaling = builder.ropeScaling;
        ropeFrequencyBase = builder.ropeFrequencyBase;
        ropeFrequencyScale = builder.ropeFrequencyScale;
        yarnExtrapolation = builder.yarnExtrapolation;
        yarnAttention = builder.yarnAttention;
        yarnBetaFast = builder.yarnBetaFast;
        yarnBetaSlow = builder.yarnBetaSlow;
        yarnOriginalLength = builder.yarnOriginalLength;
        pooling = builder.pooling;
        attention = builder.attention;
        embeddings = builder.embeddings;
        offloadKv = builder.offloadKv;
        offloadOperations = builder.offloadOperations;
        fullSlidingWindow = builder.fullSlidingWindow;
        sharedCache = builder.sharedCache;
        counters = builder.counters;
        observer = builder.observer;
    }

    /** One sequence of up to {@link #DEFAULT_LENGTH} tokens, a thread for each core. */
    public static ContextOptions defaults() {
        return DEFAULTS;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** The length with a model, given the one that it was trained for or 0. */
    int length(long trained) {
        if (length != 0) {
            return length;
        }
        return trained > 0 ? (int) Math.min(trained, DEFAULT_LENGTH) : DEFAULT_LENGTH;
    }

    /** Tokens in the KV cache of one sequence, or of all where they share it. */
    long cacheLength(long trained) {
        long caches = caches();
        return (length(trained) + caches - 1) / caches;
    }

    /** The number of KV caches. */
    long caches() {
        return sharedCache ? 1 : sequences;
    }

    /** Collects options; each value is checked when it is set. Not thread-safe. */
    public static final class Builder {

        static final int MAX_BATCH = 1 << 20;
        static final int MAX_THREADS = 512; // GGML_MAX_N_THREADS
        private static final int MAX_SEQUENCES = 256; // LLAMA_MAX_SEQ
        private static final Set<TensorType> CACHE_TYPES = EnumSet.of(
                TensorType.F32,
                TensorType.F16,
                TensorType.BF16,
                TensorType.Q8_0,
                TensorType.Q5_1,
                TensorType.Q5_0,
                TensorType.Q4_1,
                TensorType.Q4_0,
                TensorType.IQ4_NL);

        private int length;
        private int batch = 2048;
        private int microBatch = 512;
        private int sequences = 1;
        private int threads = Math.min(CpuTopology.cores(), MAX_THREADS);
        private int batchThreads;
        private FlashAttention flashAttention = FlashAttention.AUTO;
        private TensorType keyType = TensorType.F16;
        private TensorType valueType = TensorType.F16;
        private RopeScaling ropeScaling = RopeScaling.FROM_MODEL;
        private float ropeFrequencyBase;
        private float ropeFrequencyScale;
        private float yarnExtrapolation = -1;
        private float yarnAttention = -1;
        private float yarnBetaFast = -1;
        private float yarnBetaSlow = -1;
        private int yarnOriginalLength;
        private Pooling pooling = Pooling.FROM_MODEL;
        private AttentionType attention = AttentionType.FROM_MODEL;
        private boolean embeddings;
        private boolean offloadKv = true;
        private boolean offloadOperations = true;
        private boolean fullSlidingWindow = true;
        private boolean sharedCache = true;
        private boolean counters = true;
        private @Nullable NodeObserver observer;

        private Builder() {}

        /**
         * Tokens that the context holds, prompt and answer together, of all its sequences. llama.cpp rounds up to a multiple
         * of 256. By default {@link ContextOptions#DEFAULT_LENGTH}, or what the model was trained for if that is less.
         *
         * @throws IllegalArgumentException if below 1
         */
        public Builder length(int tokens) {
            length = Require.inRange("length", tokens, 1, Integer.MAX_VALUE - 256);
            return this;
        }

        /** Most tokens of one {@link Context#decode(Batch)}; 2048 by default. A longer prompt is decoded in pieces. */
        public Builder batch(int tokens) {
            batch = Require.inRange("batch", tokens, 1, MAX_BATCH);
            return this;
        }

        /** Most tokens that are computed at once; 512 by default. More is faster up to a point, and takes more memory. */
        public Builder microBatch(int tokens) {
            microBatch = Require.inRange("microBatch", tokens, 1, MAX_BATCH);
            return this;
        }

        /** How many independent sequences the context holds, at most as many as a batch holds tokens; 1 by default. */
        public Builder sequences(int count) {
            sequences = Require.inRange("sequences", count, 1, MAX_SEQUENCES);
            return this;
        }

        /** CPU threads; one for each core by default. */
        public Builder threads(int count) {
            threads = Require.inRange("threads", count, 1, MAX_THREADS);
            return this;
        }

        /** CPU threads for prompts, where they should differ from {@link #threads}. */
        public Builder batchThreads(int count) {
            batchThreads = Require.inRange("batchThreads", count, 1, MAX_THREADS);
            return this;
        }

        /** {@link FlashAttention#AUTO} by default. */
        public Builder flashAttention(FlashAttention mode) {
            flashAttention = Objects.requireNonNull(mode, "mode");
            return this;
        }

        /**
         * Number formats of the KV cache; F16 by default. A quantized one saves memory; for values it needs flash attention.
         *
         * @throws IllegalArgumentException if a type is none of F32, F16, BF16, Q8_0, Q5_1, Q5_0, Q4_1, Q4_0, IQ4_NL
         */
        public Builder kvTypes(TensorType keys, TensorType values) {
            for (TensorType type : new TensorType[] {keys, values}) {
                if (!CACHE_TYPES.contains(type)) {
                    throw new IllegalArgumentException(
                            "a KV cache cannot be of type " + type + ", only of " + CACHE_TYPES);
                }
            }
            keyType = keys;
            valueType = values;
            return this;
        }

        /** {@link RopeScaling#FROM_MODEL} by default. */
        public Builder ropeScaling(RopeScaling scaling) {
            ropeScaling = Objects.requireNonNull(scaling, "scaling");
            return this;
        }

        /** RoPE base frequency instead of the model's. */
        public Builder ropeFrequencyBase(float base) {
            ropeFrequencyBase = Require.inRange("ropeFrequencyBase", base, 1, Float.MAX_VALUE);
            return this;
        }

        /** Factor on RoPE frequencies instead of the model's: 0.25 stretches the context to four times its length. */
        public Builder ropeFrequencyScale(float scale) {
            ropeFrequencyScale = Require.inRange("ropeFrequencyScale", scale, 1e-6f, 1e6f);
            return this;
        }

        /** YaRN: share of extrapolation, from 0 (interpolation only) to 1. */
        public Builder yarnExtrapolation(float factor) {
            yarnExtrapolation = Require.inRange("yarnExtrapolation", factor, 0, 1);
            return this;
        }

        /** YaRN: factor on the magnitude of attention. */
        public Builder yarnAttention(float factor) {
            yarnAttention = Require.inRange("yarnAttention", factor, 0, Float.MAX_VALUE);
            return this;
        }

        /** YaRN: the rotations within the original context above and below which a dimension is extrapolated, interpolated. */
        public Builder yarnBeta(float fast, float slow) {
            yarnBetaFast = Require.inRange("fast", fast, 0, Float.MAX_VALUE);
            yarnBetaSlow = Require.inRange("slow", slow, 0, Float.MAX_VALUE);
            return this;
        }

        /** YaRN: the context length, in tokens, that the model was trained for, where its metadata is wrong. */
        public Builder yarnOriginalLength(int tokens) {
            yarnOriginalLength = Require.inRange("yarnOriginalLength", tokens, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Makes the context put out embeddings, see {@link Embedder}. Off by default. With pooling over several sequences, the
         * micro-batch is cut to a multiple of their number.
         */
        public Builder embeddings(boolean on) {
            embeddings = on;
            return this;
        }

        /** {@link Pooling#FROM_MODEL} by default. */
        public Builder pooling(Pooling type) {
            pooling = Objects.requireNonNull(type, "type");
            return this;
        }

        /** {@link AttentionType#FROM_MODEL} by default. */
        public Builder attention(AttentionType type) {
            attention = Objects.requireNonNull(type, "type");
            return this;
        }

        /** Whether the KV cache of a layer on a GPU is there, too, as it is by default. */
        public Builder offloadKv(boolean on) {
            offloadKv = on;
            return this;
        }

        /** Whether big operations on tensors in host memory may be sent to a GPU, as they are by default. */
        public Builder offloadOperations(boolean on) {
            offloadOperations = on;
            return this;
        }

        /**
         * Whether layers with a sliding window keep the whole context, as they do by default. Without, they take less memory,
         * and a sequence cannot be cut back to an earlier position.
         */
        public Builder fullSlidingWindow(boolean on) {
            fullSlidingWindow = on;
            return this;
        }

        /**
         * Whether sequences share one cache, as they do by default: each can be as long as the whole context, and parts can be
         * copied between them. Without, each has an equal share, which is faster where they have no common beginning.
         */
        public Builder sharedCache(boolean on) {
            sharedCache = on;
            return this;
        }

        /** Whether {@link Context#counters()} counts, as it does by default. */
        public Builder counters(boolean on) {
            counters = on;
            return this;
        }

        /** Who is shown the nodes of the graph as they are computed; by default nobody, which costs nothing. */
        public Builder observer(NodeObserver value) {
            observer = Objects.requireNonNull(value, "observer");
            return this;
        }

        /** The options; a micro-batch larger than the batch is cut to it. */
        public ContextOptions build() {
            return new ContextOptions(this);
        }
    }
}
