package org.panallama.server;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.panallama.ContextOptions;
import org.panallama.ModelOptions;
import org.panallama.TensorType;

/** How a server opens its models. Immutable. */
public final class ModelSettings {

    private static final int MAX_PARALLEL = 256;

    final ModelOptions loading;
    final int parallel;
    final int length;
    final int chunk;
    final int queue;
    final int threads;
    final TensorType keyType;
    final TensorType valueType;
    final Map<Path, Float> lora;
    final @Nullable Path draft;
    final int draftTokens;
    final int lookup;
    final @Nullable String chatTemplate;

    private ModelSettings(Builder builder) {
        loading = builder.loading;
        parallel = builder.parallel;
        length = builder.length;
        chunk = builder.chunk;
        queue = builder.queue;
        threads = builder.threads;
        keyType = builder.keyType;
        valueType = builder.valueType;
        lora = Collections.unmodifiableMap(new LinkedHashMap<>(builder.lora));
        draft = builder.draft;
        draftTokens = builder.draftTokens;
        lookup = builder.lookup;
        chatTemplate = builder.chatTemplate;
    }

    /** The settings of a new {@link #builder}. */
    public static ModelSettings defaults() {
        return builder().build();
    }

    public static Builder builder() {
        return new Builder();
    }

    /** The value, checked; for the settings of the server as well. */
    static int inRange(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + " is " + value + ", must be " + least + " to " + most);
        }
        return value;
    }

    /** Collects settings; each value is checked when it is set. Not thread-safe. */
    public static final class Builder {

        private ModelOptions loading = ModelOptions.defaults();
        private int parallel = 4;
        private int length;
        private int chunk = 512;
        private int queue = 256;
        private int threads;
        private TensorType keyType = TensorType.F16;
        private TensorType valueType = TensorType.F16;
        private final Map<Path, Float> lora = new LinkedHashMap<>();
        private @Nullable Path draft;
        private int draftTokens;
        private int lookup;
        private @Nullable String chatTemplate;

        private Builder() {}

        /** How a model's file is loaded. */
        public Builder loading(ModelOptions options) {
            loading = Objects.requireNonNull(options, "options");
            return this;
        }

        /** Requests that are computed at once, 1 to 256; 4 by default. */
        public Builder parallel(int requests) {
            parallel = inRange("parallel", requests, 1, MAX_PARALLEL);
            return this;
        }

        /**
         * Tokens that the context holds, of all requests together; 0, the default, for 4096 for each request at once, or what the
         * model was trained for if that is less.
         */
        public Builder length(int tokens) {
            length = inRange("length", tokens, 0, Integer.MAX_VALUE - 256);
            return this;
        }

        /** Tokens of prompts that are computed in one step, between two tokens of running answers; 512 by default. */
        public Builder chunk(int tokens) {
            chunk = inRange("chunk", tokens, 1, 1 << 20);
            return this;
        }

        /** Requests that may wait; 256 by default. More are answered with status 429. */
        public Builder queue(int requests) {
            queue = inRange("queue", requests, 1, 1 << 20);
            return this;
        }

        /** CPU threads; 0, the default, for one for each core. */
        public Builder threads(int count) {
            threads = inRange("threads", count, 0, 512);
            return this;
        }

        /**
         * Number formats of the KV cache; F16 by default.
         *
         * @see ContextOptions.Builder#kvTypes
         */
        public Builder kvTypes(TensorType keys, TensorType values) {
            ContextOptions.builder().kvTypes(keys, values);
            keyType = keys;
            valueType = values;
            return this;
        }

        /** Adds a LoRA adapter, with the strength that it has in requests that say nothing of it. */
        public Builder lora(Path file, float scale) {
            if (!Float.isFinite(scale)) {
                throw new IllegalArgumentException("scale is " + scale + ", must be finite");
            }
            lora.put(file, scale);
            return this;
        }

        /**
         * Lets a smaller model of the same vocabulary guess ahead.
         *
         * @param tokens the most to guess at a time, 1 or more
         */
        public Builder draft(Path model, int tokens) {
            draft = Objects.requireNonNull(model, "model");
            draftTokens = inRange("tokens", tokens, 1, 1024);
            return this;
        }

        /** Guesses from the text itself, that many tokens at a time; 0, the default, for none. */
        public Builder lookup(int tokens) {
            lookup = inRange("lookup", tokens, 0, 1024);
            return this;
        }

        /** A chat template's name in llama.cpp's list or its Jinja source, in place of the model's own. */
        public Builder chatTemplate(String nameOrSource) {
            chatTemplate = Objects.requireNonNull(nameOrSource, "nameOrSource");
            return this;
        }

        public ModelSettings build() {
            return new ModelSettings(this);
        }
    }
}
