package org.panallama.tools.convert;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How a checkpoint is converted. Immutable. */
public final class ConversionOptions {

    private static final int MAX_THREADS = 512;

    private final ConversionType type;
    private final int threads;
    private final @Nullable String name;

    private ConversionOptions(Builder builder) {
        type = builder.type;
        threads = builder.threads;
        name = builder.name;
    }

    /** F16, a thread for each processor (at most eight), the name that the checkpoint states. */
    public static ConversionOptions defaults() {
        return builder().build();
    }

    /** Begins with the {@linkplain #defaults() defaults}. */
    public static Builder builder() {
        return new Builder();
    }

    /** The format of the matrices. */
    public ConversionType type() {
        return type;
    }

    /** How many threads convert numbers. */
    public int threads() {
        return threads;
    }

    /** What becomes {@code general.name}, or null for the checkpoint's own name. */
    public @Nullable String name() {
        return name;
    }

    /** Collects options. */
    public static final class Builder {

        private ConversionType type = ConversionType.F16;
        // More than a few compute faster than disks write.
        private int threads = Math.min(8, Runtime.getRuntime().availableProcessors());
        private @Nullable String name;

        private Builder() {}

        /** The format of the matrices. */
        public Builder type(ConversionType value) {
            type = Objects.requireNonNull(value, "type");
            return this;
        }

        /**
         * How many threads convert numbers.
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
         * What becomes {@code general.name}, instead of the name in the model card, the configuration or the folder's name.
         *
         * @throws IllegalArgumentException if it is blank
         */
        public Builder name(String value) {
            if (value.isBlank()) {
                throw new IllegalArgumentException("name is blank, must be a text");
            }
            name = value;
            return this;
        }

        /** Returns the options. */
        public ConversionOptions build() {
            return new ConversionOptions(this);
        }
    }
}
