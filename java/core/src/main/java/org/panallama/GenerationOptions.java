package org.panallama;

import java.util.List;
import java.util.Objects;
import org.panallama.internal.Require;

/** When a generation ends and what it reports. Immutable. */
public final class GenerationOptions {

    /** Value of {@link Builder#logprobs} that reports none. */
    public static final int NO_LOGPROBS = -1;

    private static final GenerationOptions DEFAULTS = builder().build();

    final int maxTokens;
    final List<String> stop;
    final int logprobs;
    final boolean ignoreEnd;
    final boolean showSpecial;
    final boolean stripLeadingSpace;
    final ContextFullPolicy whenFull;
    final int keep;

    private GenerationOptions(Builder builder) {
        maxTokens = builder.maxTokens;
        stop = builder.stop;
        logprobs = builder.logprobs;
        ignoreEnd = builder.ignoreEnd;
        showSpecial = builder.showSpecial;
        stripLeadingSpace = builder.stripLeadingSpace;
        whenFull = builder.whenFull;
        keep = builder.keep;
    }

    /** Until the model ends its answer or the context is full. */
    public static GenerationOptions defaults() {
        return DEFAULTS;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Collects options; each value is checked when it is set. Not thread-safe. */
    public static final class Builder {

        private int maxTokens = Integer.MAX_VALUE;
        private List<String> stop = List.of();
        private int logprobs = NO_LOGPROBS;
        private boolean ignoreEnd;
        private boolean showSpecial;
        private boolean stripLeadingSpace;
        private ContextFullPolicy whenFull = ContextFullPolicy.STOP;
        private int keep;

        private Builder() {}

        /** Most tokens to generate, 0 or more; as many as fit by default. */
        public Builder maxTokens(int tokens) {
            maxTokens = Require.inRange("maxTokens", tokens, 0, Integer.MAX_VALUE);
            return this;
        }

        /** Texts that end the generation, and are not part of it. They are found across the borders of tokens. */
        public Builder stop(String... texts) {
            return stop(List.of(texts));
        }

        /** See {@link #stop(String...)}. */
        public Builder stop(List<String> texts) {
            if (texts.stream().anyMatch(String::isEmpty)) {
                throw new IllegalArgumentException("a stop string is empty; it would end the text at once");
            }
            stop = List.copyOf(texts);
            return this;
        }

        /**
         * Reports the log-probability of every token, with the given number of likeliest tokens at its place; {@link
         * GenerationOptions#NO_LOGPROBS}, the default, for none.
         */
        public Builder logprobs(int top) {
            logprobs = Require.inRange("logprobs", top, NO_LOGPROBS, 1000);
            return this;
        }

        /** Goes on where the model would end. Off by default. */
        public Builder ignoreEndOfGeneration(boolean ignore) {
            ignoreEnd = ignore;
            return this;
        }

        /** Writes special tokens out ({@code </s>}); they have no text by default. */
        public Builder showSpecial(boolean show) {
            showSpecial = show;
            return this;
        }

        /**
         * Leaves out a space at the very beginning, for an answer that stands alone: many models put one before their first
         * word. Off by default, since the text continues the prompt.
         */
        public Builder stripLeadingSpace(boolean strip) {
            stripLeadingSpace = strip;
            return this;
        }

        /** What to do when the context is full; {@link ContextFullPolicy#STOP} by default. */
        public Builder whenFull(ContextFullPolicy policy) {
            whenFull = Objects.requireNonNull(policy, "policy");
            return this;
        }

        /** How many tokens of the prompt's beginning {@link ContextFullPolicy#SHIFT} never drops; 0 by default. */
        public Builder keep(int tokens) {
            keep = Require.inRange("keep", tokens, 0, Integer.MAX_VALUE);
            return this;
        }

        public GenerationOptions build() {
            return new GenerationOptions(this);
        }
    }
}
