package org.panallama;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.panallama.SamplerStep.Place;
import org.panallama.internal.Require;
import org.panallama.spi.Binding;

/**
 * Chooses the next token: a chain of llama.cpp's samplers, each of which changes or cuts the candidates, with one at the end
 * that chooses.
 *
 * <p>A sampler has state: its random numbers, the tokens that penalties look back on, how far a grammar has come. It binds to
 * the model that it is first used with, or is {@linkplain Builder#build(Model) built} for, and closes with it. Serves one
 * thread at a time.
 */
public final class Sampler implements AutoCloseable {

    private final List<SamplerStep> steps;
    private final @Nullable Grammar grammar;
    private final int seed;
    private final int minKeep;
    private @Nullable Model model;
    private @Nullable BoundSampler bound;
    private boolean closed;

    private Sampler(List<SamplerStep> steps, @Nullable Grammar grammar, int seed, int minKeep) {
        this.steps = steps;
        this.grammar = grammar;
        this.seed = seed;
        this.minKeep = minKeep;
    }

    /** Always the most probable token. */
    public static Sampler greedy() {
        return builder().temperature(0).build();
    }

    /** Llama.cpp's usual settings: temperature 0.8, top-k 40, top-p 0.95, min-p 0.05, a random seed. */
    public static Sampler usual() {
        return builder().temperature(0.8f).topK(40).topP(0.95f).minP(0.05f).build();
    }

    public static Builder builder() {
        return new Builder();
    }

    /**
     * Chooses a token after the last computation of a context, and remembers it.
     *
     * @param index the batch index of the token to continue, which must have asked for its output; -1 for the last output
     * @return a token id
     * @throws IllegalArgumentException if there is no such output
     * @throws GrammarException if the grammar is malformed, or leaves no token
     */
    public int sample(Context context, int index) {
        return bind(context.model()).sample(context, index);
    }

    /**
     * The distribution that the next token would be drawn from, without drawing: after every filter, the grammar and the
     * temperature.
     *
     * @param index as for {@link #sample}
     * @param most the number of candidates to return, the most probable first
     */
    public List<TokenProbability> probabilities(Context context, int index, int most) {
        Require.inRange("most", most, 1, Integer.MAX_VALUE);
        return bind(context.model()).probabilities(context, index, most);
    }

    /**
     * Remembers a token that was not chosen by this sampler.
     *
     * @throws IllegalStateException if the sampler is not bound to a model yet
     * @throws GrammarException if the grammar does not allow the token; nothing has changed then
     */
    public void accept(int token) {
        BoundSampler chain = bound;
        if (chain == null) {
            throw new IllegalStateException("the sampler is not bound to a model yet: make it with build(model)");
        }
        chain.accept(token);
    }

    /** Goes back to the state of a new sampler: seeds, history, grammar. */
    public void reset() {
        BoundSampler chain = bound;
        if (chain != null) {
            chain.reset();
        }
    }

    /**
     * A sampler in the same state, to be closed on its own.
     *
     * @throws IllegalStateException if this one is closed
     */
    public Sampler copy() {
        checkOpen();
        Sampler copy = new Sampler(steps, grammar, seed, minKeep);
        if (bound != null) {
            copy.model = model;
            copy.bound = bound.copy(copy, model);
        }
        return copy;
    }

    /** Frees the chain. Waits for the call in flight. */
    @Override
    public void close() {
        closed = true;
        BoundSampler chain = bound;
        if (chain != null) {
            chain.close();
        }
    }

    /**
     * Gets ready for a new text: history and grammar start afresh with the prompt, random numbers go on.
     *
     * @param target the model that the text will come from
     * @param prompt what penalties look back on
     * @throws GrammarException if the grammar is malformed
     */
    public void begin(Model target, int... prompt) {
        bind(target).begin(prompt);
    }

    private BoundSampler bind(Model target) {
        BoundSampler chain = bound;
        if (chain == null) {
            checkOpen();
            chain = new BoundSampler(this, target, steps, grammar, seed, minKeep);
            bound = chain;
            model = target;
        } else if (model != target) {
            throw new IllegalStateException("the sampler is bound to " + model + "; make another one for " + target);
        }
        return chain;
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the sampler is closed");
        }
    }

    /**
     * Collects samplers. They are put into the usual order, whatever the order of the calls. Each value is checked when it is
     * set. Not thread-safe.
     */
    public static final class Builder {

        private static final int MAX_LOOK_BACK = 1 << 20;

        private final Map<Place, SamplerStep> steps = new EnumMap<>(Place.class);
        private final List<SamplerStep> customs = new ArrayList<>();
        private final Map<Integer, Float> biases = new LinkedHashMap<>();
        private @Nullable Grammar grammar;
        private boolean greedy;
        private int seed = ThreadLocalRandom.current().nextInt();
        private int minKeep = 1;
        private int penaltyLastN = 64;
        private float repeatPenalty = 1;
        private float frequencyPenalty;
        private float presencePenalty;

        private Builder() {}

        /** The seed of all random choices; a random one by default. The lower 32 bits count. */
        public Builder seed(long value) {
            // 0xFFFFFFFF asks llama.cpp for a random seed.
            seed = (int) value == -1 ? Integer.MAX_VALUE : (int) value;
            return this;
        }

        /** Divides logits: below 1 for more of the likely, above 1 for more of the unlikely; 0 always takes the likeliest. */
        public Builder temperature(float value) {
            Require.inRange("temperature", value, 0, 1000);
            greedy = value == 0;
            return step(
                    Place.TEMPERATURE,
                    value == 1 || greedy ? null : (binding, target) -> binding.samplerTemperature(value));
        }

        /**
         * A temperature that rises with the entropy of the candidates (arXiv 2309.02772).
         *
         * @param value the middle of the range
         * @param range how far the temperature goes below and above it
         * @param exponent how the entropy maps to the range; 1 is usual
         */
        public Builder dynamicTemperature(float value, float range, float exponent) {
            Require.inRange("temperature", value, 0, 1000);
            Require.inRange("range", range, 0, value);
            Require.inRange("exponent", exponent, 0, 1000);
            greedy = false;
            return step(
                    Place.TEMPERATURE, (binding, target) -> binding.samplerDynamicTemperature(value, range, exponent));
        }

        /** Keeps the k likeliest candidates; 0 keeps all. */
        public Builder topK(int k) {
            Require.inRange("topK", k, 0, Integer.MAX_VALUE);
            return step(Place.TOP_K, k == 0 ? null : (binding, target) -> binding.samplerTopK(k));
        }

        /** Keeps the likeliest candidates that together have probability p (arXiv 1904.09751); 1 keeps all. */
        public Builder topP(float p) {
            Require.inRange("topP", p, 0, 1);
            return step(Place.TOP_P, p == 1 ? null : (binding, target) -> binding.samplerTopP(p, target.minKeep()));
        }

        /** Keeps candidates of at least p times the probability of the likeliest one (arXiv 2407.01082); 0 keeps all. */
        public Builder minP(float p) {
            Require.inRange("minP", p, 0, 1);
            return step(Place.MIN_P, p == 0 ? null : (binding, target) -> binding.samplerMinP(p, target.minKeep()));
        }

        /** Keeps candidates whose surprise is near the expected one (arXiv 2202.00666); 1 keeps all. */
        public Builder typicalP(float p) {
            Require.inRange("typicalP", p, 0, 1);
            return step(
                    Place.TYPICAL, p == 1 ? null : (binding, target) -> binding.samplerTypical(p, target.minKeep()));
        }

        /** Keeps candidates within n standard deviations of the highest logit (arXiv 2411.07641); 0 keeps all. */
        public Builder topNSigma(float n) {
            Require.inRange("topNSigma", n, 0, Float.MAX_VALUE);
            return step(Place.TOP_N_SIGMA, n == 0 ? null : (binding, target) -> binding.samplerTopNSigma(n));
        }

        /**
         * Now and then drops all likely candidates but the least likely of them (XTC, oobabooga/text-generation-webui#6335).
         *
         * @param probability how often
         * @param threshold the probability that makes a candidate a likely one
         */
        public Builder xtc(float probability, float threshold) {
            Require.inRange("probability", probability, 0, 1);
            Require.inRange("threshold", threshold, 0, 1);
            return step(
                    Place.XTC,
                    probability == 0
                            ? null
                            : (binding, target) ->
                                    binding.samplerXtc(probability, threshold, target.minKeep(), target.seed()));
        }

        /** The fewest candidates that the filters leave; 1 by default. */
        public Builder minKeep(int candidates) {
            minKeep = Require.inRange("minKeep", candidates, 1, Integer.MAX_VALUE);
            return this;
        }

        /** Divides the logits of tokens that occurred among the last ones (arXiv 1909.05858); 1 for none, 1.1 is usual. */
        public Builder repeatPenalty(float factor) {
            repeatPenalty = Require.inRange("repeatPenalty", factor, 1e-6f, 1000);
            return this;
        }

        /** Subtracts from a token's logit for each time it occurred among the last ones; 0 for none. */
        public Builder frequencyPenalty(float amount) {
            frequencyPenalty = Require.finite("frequencyPenalty", amount);
            return this;
        }

        /** Subtracts from a token's logit if it occurred among the last ones; 0 for none. */
        public Builder presencePenalty(float amount) {
            presencePenalty = Require.finite("presencePenalty", amount);
            return this;
        }

        /** How many tokens the three penalties look back; 64 by default. */
        public Builder penaltyLastN(int tokens) {
            penaltyLastN = Require.inRange("penaltyLastN", tokens, 0, MAX_LOOK_BACK);
            return this;
        }

        /** Penalises repetitions by their length. */
        public Builder dry(Dry dry) {
            Objects.requireNonNull(dry, "dry");
            return step(
                    Place.DRY,
                    dry.multiplier() == 0
                            ? null
                            : (binding, target) -> binding.samplerDry(
                                    target.vocab(),
                                    dry.multiplier(),
                                    dry.base(),
                                    dry.allowedLength(),
                                    dry.lastN(),
                                    dry.sequenceBreakers().toArray(String[]::new)));
        }

        /** Adds to a token's logit; {@link Float#NEGATIVE_INFINITY} forbids it. */
        public Builder logitBias(int token, float bias) {
            Require.inRange("token", token, 0, Integer.MAX_VALUE);
            if (Float.isNaN(bias) || bias == Float.POSITIVE_INFINITY) {
                throw new IllegalArgumentException("bias is " + bias + ", must be finite or -Infinity");
            }
            biases.put(token, bias);
            return this;
        }

        /** Mirostat 1 (arXiv 2007.14966) in place of the other filters: holds the surprise near {@code tau}. */
        public Builder mirostat(float tau, float eta, int m) {
            Require.inRange("tau", tau, 0, 1000);
            Require.inRange("eta", eta, 0, 1);
            Require.inRange("m", m, 2, Integer.MAX_VALUE);
            return chooseBy(
                    (binding, target) -> binding.samplerMirostat(target.vocabSize(), target.seed(), tau, eta, m));
        }

        /** Mirostat 2 (arXiv 2007.14966) in place of the other filters. */
        public Builder mirostatV2(float tau, float eta) {
            Require.inRange("tau", tau, 0, 1000);
            Require.inRange("eta", eta, 0, 1);
            return chooseBy((binding, target) -> binding.samplerMirostatV2(target.seed(), tau, eta));
        }

        /**
         * Adaptive-p: prefers tokens near a target probability over time (ggml-org/llama.cpp#17927).
         *
         * @param target probability, from 0 to 1
         * @param decay weight of the past, from 0 to 0.99
         */
        public Builder adaptiveP(float target, float decay) {
            Require.inRange("target", target, 0, 1);
            Require.inRange("decay", decay, 0, 0.99f);
            return chooseBy((binding, chain) -> binding.samplerAdaptiveP(target, decay, chain.seed()));
        }

        /** Joins candidates with a common beginning, for filling a gap in a text; use it with top-k and top-p. */
        public Builder infill() {
            return step(Place.INFILL, (binding, target) -> binding.samplerInfill(target.vocab()));
        }

        /** Makes the text follow a grammar. */
        public Builder grammar(Grammar value) {
            grammar = Objects.requireNonNull(value, "value");
            return this;
        }

        /** Makes the text follow a grammar in GBNF whose start symbol is {@code root}. */
        public Builder grammar(String rules) {
            return grammar(Grammar.of(rules));
        }

        /** Adds a sampler written in Java, after the temperature and before the choice. Several run in the order added. */
        public Builder custom(CustomSampler sampler) {
            Objects.requireNonNull(sampler, "sampler");
            customs.add(new SamplerStep(Place.CUSTOM, true, custom(sampler, false)));
            return this;
        }

        /** Has the choice made in Java, see {@link Candidates#select}. */
        public Builder selector(CustomSampler sampler) {
            Objects.requireNonNull(sampler, "sampler");
            return chooseBy(custom(sampler, true));
        }

        private static SamplerStep.Factory custom(CustomSampler sampler, boolean selects) {
            return (binding, target) ->
                    binding.samplerCustom(new CustomCalls(binding, sampler, selects, target.failed()));
        }

        private Builder chooseBy(SamplerStep.Factory factory) {
            return step(Place.CHOICE, factory);
        }

        private Builder step(Place place, SamplerStep.@Nullable Factory factory) {
            if (factory == null) {
                steps.remove(place);
            } else {
                boolean history = place == Place.PENALTIES || place == Place.DRY;
                steps.put(place, new SamplerStep(place, history, factory));
            }
            return this;
        }

        /** A sampler that binds to a model on first use, when a malformed grammar is found out, too. */
        public Sampler build() {
            List<SamplerStep> chain = new ArrayList<>(steps.values());
            chain.addAll(customs);
            if (!biases.isEmpty()) {
                Map<Integer, Float> chosen = Map.copyOf(biases);
                chain.add(
                        new SamplerStep(Place.LOGIT_BIAS, false, (binding, target) -> biases(binding, target, chosen)));
            }
            if (penaltyLastN > 0 && (repeatPenalty != 1 || frequencyPenalty != 0 || presencePenalty != 0)) {
                int lastN = penaltyLastN;
                float repeat = repeatPenalty;
                float frequency = frequencyPenalty;
                float presence = presencePenalty;
                chain.add(new SamplerStep(
                        Place.PENALTIES,
                        true,
                        (binding, target) ->
                                binding.samplerPenalties(target.vocabSize(), lastN, repeat, frequency, presence)));
            }
            if (!steps.containsKey(Place.CHOICE)) {
                SamplerStep.Factory choice = greedy
                        ? (binding, target) -> binding.samplerGreedy()
                        : (binding, target) -> binding.samplerDist(target.seed());
                chain.add(new SamplerStep(Place.CHOICE, false, choice));
            }
            chain.sort(Comparator.comparing(SamplerStep::place));
            return new Sampler(List.copyOf(chain), grammar, seed, minKeep);
        }

        private static long biases(Binding binding, SamplerStep.Target target, Map<Integer, Float> biases) {
            int[] tokens = biases.keySet().stream()
                    .mapToInt(Integer::intValue)
                    .sorted()
                    .toArray();
            float[] values = new float[tokens.length];
            for (int i = 0; i < tokens.length; i++) {
                Require.index("token", tokens[i], target.vocabSize());
                values[i] = biases.get(tokens[i]);
            }
            return binding.samplerLogitBias(target.vocabSize(), tokens, values);
        }

        /**
         * A sampler bound to a model.
         *
         * @throws GrammarException if the grammar is malformed
         * @throws IndexOutOfBoundsException if a logit bias names a token that the model does not have
         */
        public Sampler build(Model model) {
            Sampler sampler = build();
            sampler.bind(model);
            return sampler;
        }
    }
}
