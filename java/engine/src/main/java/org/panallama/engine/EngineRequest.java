package org.panallama.engine;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.panallama.LoraAdapter;
import org.panallama.Sampler;
import org.panallama.internal.Require;

/** A prompt to continue, and how. For one use: the engine that takes it closes its sampler. */
public final class EngineRequest {

    final int[] prompt;
    final Sampler sampler;
    final int maxTokens;
    final List<String> stop;
    final int logprobs;
    final boolean ignoreEndOfGeneration;
    final boolean stripLeadingSpace;
    final boolean showSpecial;
    final Set<Integer> shownTokens;
    final Map<LoraAdapter, Float> lora;
    final long deadlineNanos; // the largest number for none
    private final AtomicBoolean taken = new AtomicBoolean();

    private EngineRequest(Builder builder) {
        prompt = builder.prompt;
        sampler = builder.sampler;
        maxTokens = builder.maxTokens;
        stop = builder.stop;
        logprobs = builder.logprobs;
        ignoreEndOfGeneration = builder.ignoreEndOfGeneration;
        stripLeadingSpace = builder.stripLeadingSpace;
        showSpecial = builder.showSpecial;
        shownTokens = builder.shownTokens;
        lora = builder.lora;
        deadlineNanos = builder.deadline == null ? Long.MAX_VALUE : Nanos.of(builder.deadline);
    }

    /** Whether it was free to be taken; it is not any more. */
    boolean take() {
        return taken.compareAndSet(false, true);
    }

    /** It was not taken after all. */
    void giveBack() {
        taken.set(false);
    }

    /**
     * A builder of a request.
     *
     * @param prompt token ids, at least one
     * @param sampler chooses the answer's tokens; the engine takes it over and closes it
     * @throws IllegalArgumentException if the prompt is empty
     */
    public static Builder builder(int[] prompt, Sampler sampler) {
        return new Builder(prompt, sampler);
    }

    /** Collects a request's parts. Not thread-safe. */
    public static final class Builder {

        private final int[] prompt;
        private final Sampler sampler;
        private int maxTokens = Integer.MAX_VALUE;
        private List<String> stop = List.of();
        private int logprobs = -1;
        private boolean ignoreEndOfGeneration;
        private boolean stripLeadingSpace;
        private boolean showSpecial;
        private Set<Integer> shownTokens = Set.of();
        private Map<LoraAdapter, Float> lora = Map.of();
        private @Nullable Duration deadline;

        private Builder(int[] prompt, Sampler sampler) {
            if (prompt.length == 0) {
                throw new IllegalArgumentException("the prompt has no tokens, so there is nothing to continue");
            }
            this.prompt = prompt.clone();
            this.sampler = Objects.requireNonNull(sampler, "sampler");
        }

        /** The most tokens to generate, 0 or more; by default as many as the context has room for. */
        public Builder maxTokens(int tokens) {
            maxTokens = Require.inRange("maxTokens", tokens, 0, Integer.MAX_VALUE);
            return this;
        }

        /** Texts that end the answer; they are not part of it. */
        public Builder stop(List<String> texts) {
            if (texts.contains("")) {
                throw new IllegalArgumentException("a stop string is empty");
            }
            stop = List.copyOf(texts);
            return this;
        }

        /** Asks for the log-probability of every token and of the {@code top} likeliest at its place. */
        public Builder logprobs(int top) {
            logprobs = Require.inRange("logprobs", top, 0, Integer.MAX_VALUE);
            return this;
        }

        /** Whether to go on when the model ends its answer. */
        public Builder ignoreEndOfGeneration(boolean ignore) {
            ignoreEndOfGeneration = ignore;
            return this;
        }

        /** Whether the space that SentencePiece puts in front of a text is left out. */
        public Builder stripLeadingSpace(boolean strip) {
            stripLeadingSpace = strip;
            return this;
        }

        /** Whether special tokens are written out. */
        public Builder showSpecial(boolean show) {
            showSpecial = show;
            return this;
        }

        /** Special tokens that are written out all the same: those that an answer's parser has to see. */
        public Builder shownTokens(Set<Integer> tokens) {
            shownTokens = Set.copyOf(tokens);
            return this;
        }

        /** Adapters with their strength; none by default. Requests with the same ones are computed together. */
        public Builder lora(Map<LoraAdapter, Float> scales) {
            for (float scale : scales.values()) {
                if (!Float.isFinite(scale)) {
                    throw new IllegalArgumentException("scale is " + scale + ", must be finite");
                }
            }
            lora = Map.copyOf(scales);
            return this;
        }

        /** The longest that the request may take, from its submission on, waiting included. */
        public Builder deadline(Duration time) {
            if (time.isNegative() || time.isZero()) {
                throw new IllegalArgumentException("deadline is " + time + ", must be longer than nothing");
            }
            deadline = time;
            return this;
        }

        public EngineRequest build() {
            return new EngineRequest(this);
        }
    }
}
