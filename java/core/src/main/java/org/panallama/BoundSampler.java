package org.panallama;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.GrammarState;
import org.panallama.internal.Require;
import org.panallama.spi.Binding;

/**
 * A sampler's native side for one model: the chain, the array of candidates, and the grammar beside the chain.
 *
 * <p>The grammar stays outside the chain since llama.cpp ends the process when a grammar is made to accept a token that it does
 * not allow. So a token is chosen without it first; only if the grammar rejects that one, all candidates are put through the
 * grammar and the chain chooses again, which is also the faster way.
 */
final class BoundSampler {

    private static final int INFILL_BUFFER = 512; // bytes; llama.cpp ends the process on a longer token

    private final Binding binding;
    private final Vocab vocab;
    private final Handle handle;
    private final Natives natives;
    private final List<SamplerStep> steps;
    private final @Nullable GrammarGate gate;
    private final Failure failure;

    /** What a custom sampler threw, on its way around native code. */
    private static final class Failure {
        private @Nullable RuntimeException thrown;

        void rethrow() {
            RuntimeException e = thrown;
            if (e != null) {
                thrown = null;
                throw e;
            }
        }
    }

    /** The native objects, freed together. */
    private record Natives(Binding binding, long chain, long grammar, long candidates) {
        void free() {
            binding.samplerFree(chain);
            if (grammar != 0) {
                binding.samplerFree(grammar);
            }
            binding.candidatesFree(candidates);
        }
    }

    BoundSampler(
            Sampler owner, Model model, List<SamplerStep> steps, @Nullable Grammar grammar, int seed, int minKeep) {
        this.binding = Llama.binding();
        this.vocab = model.vocab();
        this.steps = steps;
        this.failure = new Failure();
        Failure sink = failure;
        GrammarState start = grammar == null ? null : GrammarGate.check(vocab, grammar);
        long vocabAddress = vocab.enter();
        try {
            SamplerStep.Target target =
                    new SamplerStep.Target(vocabAddress, vocab.size(), seed, minKeep, e -> sink.thrown = e);
            this.natives = create(target, grammar);
        } finally {
            vocab.exit();
        }
        this.gate = start == null ? null : gate(grammar, start);
        this.handle = handle(owner, model.handle());
    }

    private GrammarGate gate(Grammar grammar, GrammarState start) {
        try {
            return new GrammarGate(binding, vocab, grammar, start, natives.grammar);
        } catch (RuntimeException e) {
            natives.free();
            throw e;
        }
    }

    /** A copy; the original is inside its handle. */
    private BoundSampler(Sampler owner, BoundSampler original, Handle parent) {
        this.binding = original.binding;
        this.vocab = original.vocab;
        this.steps = original.steps;
        this.failure = original.failure;
        long grammar = original.natives.grammar;
        this.natives = new Natives(
                binding,
                binding.samplerClone(original.natives.chain),
                grammar == 0 ? 0 : binding.samplerClone(grammar),
                binding.candidatesNew(vocab.size()));
        this.gate = original.gate == null ? null : new GrammarGate(original.gate, natives.grammar);
        this.handle = handle(owner, parent);
    }

    private Handle handle(Sampler owner, Handle parent) {
        Natives freed = natives;
        return new Handle(owner, "sampler", natives.chain, true, parent, chain -> freed.free());
    }

    private Natives create(SamplerStep.Target target, @Nullable Grammar grammar) {
        long grammarAddress = grammar == null ? 0 : GrammarGate.create(binding, target.vocab(), grammar);
        long chain = binding.chainNew(true);
        Natives created = new Natives(binding, chain, grammarAddress, binding.candidatesNew(target.vocabSize()));
        boolean complete = false;
        try {
            for (SamplerStep step : steps) {
                if (step.place() == SamplerStep.Place.INFILL && vocab.longestPiece() > INFILL_BUFFER) {
                    throw new LlamaException("infill cannot be used with this model: it has a token of "
                            + vocab.longestPiece() + " bytes, and llama.cpp's infill sampler takes " + INFILL_BUFFER);
                }
                long sampler = step.factory().create(binding, target);
                if (sampler == 0) {
                    throw new LlamaException("llama.cpp refuses the sampler " + step.place());
                }
                binding.chainAdd(chain, sampler);
            }
            complete = true;
            return created;
        } finally {
            if (!complete) {
                created.free();
            }
        }
    }

    int sample(Context context, int index) {
        long chain = handle.enter();
        try {
            long address = context.handle().enter();
            try {
                return sample(chain, address, index);
            } finally {
                context.handle().exit();
            }
        } finally {
            handle.exit();
        }
    }

    private int sample(long chain, long context, int index) {
        long logits = logits(context, index);
        int token;
        if (gate == null || !gate.isOpen()) {
            token = binding.samplerSample(chain, context, index);
            failure.rethrow();
        } else {
            token = sampleGrammatical(chain, logits, gate);
        }
        if (gate != null) {
            gate.accept(token);
        }
        return token;
    }

    private long logits(long context, int index) {
        long logits = binding.logits(context, index);
        if (logits == 0) {
            throw new IllegalArgumentException("the last computation put out no logits " + index);
        }
        return logits;
    }

    private int sampleGrammatical(long chain, long logits, GrammarGate grammar) {
        fill(logits);
        int token = choose(chain);
        if (token == Vocab.NO_TOKEN || !grammar.allows(token)) {
            fill(logits);
            token = grammar.filter(natives.candidates) ? choose(chain) : Vocab.NO_TOKEN;
            if (token == Vocab.NO_TOKEN || !grammar.allows(token)) {
                throw new GrammarException(
                        "the grammar and the other samplers leave no token: the grammar is at a dead end, or"
                                + " allows nothing that this model has a token for");
            }
        }
        binding.samplerAccept(chain, token);
        failure.rethrow();
        return token;
    }

    /** The token that the chain chooses, or none if the chain rules out even that one. */
    private int choose(long chain) {
        long candidates = natives.candidates;
        binding.samplerApply(chain, candidates);
        failure.rethrow();
        long entry =
                binding.candidatesData(candidates) + binding.candidatesSelected(candidates) * Candidates.ENTRY_BYTES;
        ByteBuffer chosen = binding.view(entry, Candidates.ENTRY_BYTES);
        return chosen.getFloat(Candidates.LOGIT) == Float.NEGATIVE_INFINITY ? Vocab.NO_TOKEN : chosen.getInt(0);
    }

    /** Sets the candidates to the whole vocabulary with its logits. */
    private void fill(long logits) {
        int size = vocab.size();
        binding.candidatesReset(natives.candidates, size);
        ByteBuffer source = binding.view(logits, size * Float.BYTES);
        ByteBuffer target = binding.view(binding.candidatesData(natives.candidates), size * Candidates.ENTRY_BYTES);
        for (int token = 0; token < size; token++) {
            target.putInt(token * Candidates.ENTRY_BYTES, token);
            target.putFloat(token * Candidates.ENTRY_BYTES + Candidates.LOGIT, source.getFloat(token * Float.BYTES));
        }
    }

    List<TokenProbability> probabilities(Context context, int index, int most) {
        long chain = handle.enter();
        try {
            long address = context.handle().enter();
            try {
                return probabilities(chain, logits(address, index), most);
            } finally {
                context.handle().exit();
            }
        } finally {
            handle.exit();
        }
    }

    private List<TokenProbability> probabilities(long chain, long logits, int most) {
        fill(logits);
        if (gate != null && gate.isOpen() && !gate.filter(natives.candidates)) {
            return List.of();
        }
        long copy = binding.samplerClone(chain); // whose random numbers and history may change
        binding.samplerApply(copy, natives.candidates);
        binding.samplerFree(copy);
        failure.rethrow();
        return likeliest(most);
    }

    private List<TokenProbability> likeliest(int most) {
        int size = Math.toIntExact(binding.candidatesSize(natives.candidates));
        ByteBuffer entries = binding.view(binding.candidatesData(natives.candidates), size * Candidates.ENTRY_BYTES);
        float max = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < size; i++) {
            max = Math.max(max, entries.getFloat(i * Candidates.ENTRY_BYTES + Candidates.LOGIT));
        }
        double sum = 0;
        PriorityQueue<Integer> best = new PriorityQueue<>(Comparator.comparingDouble(
                (Integer i) -> entries.getFloat(i * Candidates.ENTRY_BYTES + Candidates.LOGIT)));
        for (int i = 0; i < size; i++) {
            float logit = entries.getFloat(i * Candidates.ENTRY_BYTES + Candidates.LOGIT);
            if (logit == Float.NEGATIVE_INFINITY) {
                continue;
            }
            sum += Math.exp(logit - max);
            best.add(i);
            if (best.size() > most) {
                best.poll();
            }
        }
        List<TokenProbability> result = new ArrayList<>();
        while (!best.isEmpty()) {
            int i = best.poll();
            float logit = entries.getFloat(i * Candidates.ENTRY_BYTES + Candidates.LOGIT);
            result.add(0, new TokenProbability(entries.getInt(i * Candidates.ENTRY_BYTES), logit, (float)
                    (Math.exp(logit - max) / sum)));
        }
        return List.copyOf(result);
    }

    void accept(int token) {
        Require.index("token", token, vocab.size());
        long chain = handle.enter();
        try {
            if (gate != null) {
                gate.accept(token);
            }
            binding.samplerAccept(chain, token);
            failure.rethrow();
        } finally {
            handle.exit();
        }
    }

    void begin(int[] prompt) {
        long chain = handle.enter();
        try {
            if (gate != null) {
                gate.reset();
            }
            for (int i = 0; i < steps.size(); i++) {
                if (steps.get(i).history()) {
                    long sampler = binding.chainGet(chain, i);
                    binding.samplerReset(sampler);
                    for (int token : prompt) {
                        binding.samplerAccept(sampler, token);
                    }
                }
            }
            failure.rethrow();
        } finally {
            handle.exit();
        }
    }

    void reset() {
        long chain = handle.enter();
        try {
            if (gate != null) {
                gate.reset();
            }
            binding.samplerReset(chain);
            failure.rethrow();
        } finally {
            handle.exit();
        }
    }

    BoundSampler copy(Sampler owner, Model model) {
        handle.enter();
        try {
            return new BoundSampler(owner, this, model.handle());
        } finally {
            handle.exit();
        }
    }

    void close() {
        handle.close();
    }
}
