package org.panallama.tools.lora;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.panallama.gguf.GgmlType;
import org.panallama.tools.convert.ConversionType;

/** How adapters are merged. Immutable. */
public final class MergeOptions {

    private static final int MAX_THREADS = 512;

    private final int threads;
    private final @Nullable ConversionType type;

    private MergeOptions(Builder builder) {
        threads = builder.threads;
        type = builder.type;
    }

    /** A thread for each processor, at most sixteen; tensors keep their type. */
    public static MergeOptions defaults() {
        return builder().build();
    }

    /** Begins with the {@linkplain #defaults() defaults}. */
    public static Builder builder() {
        return new Builder();
    }

    /** How many threads compute. */
    public int threads() {
        return threads;
    }

    /** The type of the tensors that change, or null if they keep their own. */
    public @Nullable ConversionType type() {
        return type;
    }

    GgmlType format(GgmlType own) {
        return type == null ? own : type.format();
    }

    /** Collects options. */
    public static final class Builder {

        private int threads = Math.min(16, Runtime.getRuntime().availableProcessors());
        private @Nullable ConversionType type;

        private Builder() {}

        /**
         * How many threads compute.
         *
         * @throws IllegalArgumentException unless from 1 to 512
         */
        public Builder threads(int count) {
            if (count < 1 || count > MAX_THREADS) {
                throw new IllegalArgumentException("threads is " + count + ", must be from 1 to " + MAX_THREADS);
            }
            threads = count;
            return this;
        }

        /**
         * The type of the tensors that change; without it they keep their own, and what is added is rounded to that.
         */
        public Builder type(ConversionType value) {
            type = Objects.requireNonNull(value, "type");
            return this;
        }

        /** Returns the options. */
        public MergeOptions build() {
            return new MergeOptions(this);
        }
    }
}
