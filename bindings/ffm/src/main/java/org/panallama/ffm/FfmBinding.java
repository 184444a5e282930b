package org.panallama.ffm;

import static org.panallama.ffm.NativeMemory.pointer;
import static org.panallama.ffm.NativeMemory.text;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.panallama.ffm.generated.llama_h;
import org.panallama.ffm.generated.llama_logit_bias;
import org.panallama.ffm.generated.llama_sampler_chain_params;
import org.panallama.spi.Binding;
import org.panallama.spi.CustomSamplerCalls;

/**
 * The whole of the SPI. It is one interface of some 190 calls, which stand here in layers, each a group of calls over the
 * groups that it needs; this last one has the samplers.
 */
final class FfmBinding extends FfmCandidates implements Binding {

    @Override
    public long chainNew(boolean noPerf) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment params = llama_h.llama_sampler_chain_default_params(arena);
            llama_sampler_chain_params.no_perf(params, noPerf);
            return llama_h.llama_sampler_chain_init(params).address();
        }
    }

    @Override
    public void chainAdd(long chain, long sampler) {
        llama_h.llama_sampler_chain_add(pointer(chain), pointer(sampler));
    }

    @Override
    public int chainCount(long chain) {
        return llama_h.llama_sampler_chain_n(pointer(chain));
    }

    @Override
    public long chainGet(long chain, int index) {
        return llama_h.llama_sampler_chain_get(pointer(chain), index).address();
    }

    @Override
    public void samplerFree(long sampler) {
        llama_h.llama_sampler_free(pointer(sampler));
    }

    @Override
    public String samplerName(long sampler) {
        return text(llama_h.llama_sampler_name(pointer(sampler)));
    }

    @Override
    public void samplerReset(long sampler) {
        llama_h.llama_sampler_reset(pointer(sampler));
    }

    @Override
    public long samplerClone(long sampler) {
        return llama_h.llama_sampler_clone(pointer(sampler)).address();
    }

    @Override
    public void samplerAccept(long sampler, int token) {
        TokenFunctions.accept(sampler, token);
    }

    @Override
    public void samplerApply(long sampler, long candidates) {
        TokenFunctions.apply(sampler, candidates);
    }

    @Override
    public int samplerSample(long sampler, long context, int index) {
        return TokenFunctions.sample(sampler, context, index);
    }

    @Override
    public int samplerSeed(long sampler) {
        return llama_h.llama_sampler_get_seed(pointer(sampler));
    }

    @Override
    public long samplerGreedy() {
        return llama_h.llama_sampler_init_greedy().address();
    }

    @Override
    public long samplerDist(int seed) {
        return llama_h.llama_sampler_init_dist(seed).address();
    }

    @Override
    public long samplerTopK(int k) {
        return llama_h.llama_sampler_init_top_k(k).address();
    }

    @Override
    public long samplerTopP(float p, int minKeep) {
        return llama_h.llama_sampler_init_top_p(p, minKeep).address();
    }

    @Override
    public long samplerMinP(float p, int minKeep) {
        return llama_h.llama_sampler_init_min_p(p, minKeep).address();
    }

    @Override
    public long samplerTypical(float p, int minKeep) {
        return llama_h.llama_sampler_init_typical(p, minKeep).address();
    }

    @Override
    public long samplerTemperature(float temperature) {
        return llama_h.llama_sampler_init_temp(temperature).address();
    }

    @Override
    public long samplerDynamicTemperature(float temperature, float range, float exponent) {
        return llama_h.llama_sampler_init_temp_ext(temperature, range, exponent).address();
    }

    @Override
    public long samplerXtc(float probability, float threshold, int minKeep, int seed) {
        return llama_h.llama_sampler_init_xtc(probability, threshold, minKeep, seed)
                .address();
    }

    @Override
    public long samplerTopNSigma(float n) {
        return llama_h.llama_sampler_init_top_n_sigma(n).address();
    }

    @Override
    public long samplerMirostat(int vocabSize, int seed, float tau, float eta, int m) {
        return llama_h.llama_sampler_init_mirostat(vocabSize, seed, tau, eta, m).address();
    }

    @Override
    public long samplerMirostatV2(int seed, float tau, float eta) {
        return llama_h.llama_sampler_init_mirostat_v2(seed, tau, eta).address();
    }

    @Override
    public long samplerGrammar(long vocab, String grammar, String root) {
        try (Arena arena = Arena.ofConfined()) {
            return llama_h.llama_sampler_init_grammar(pointer(vocab), text(arena, grammar), text(arena, root))
                    .address();
        }
    }

    @Override
    public long samplerPenalties(int vocabSize, int lastN, float repeat, float frequency, float presence) {
        return llama_h.llama_sampler_init_penalties(vocabSize, lastN, repeat, frequency, presence)
                .address();
    }

    @Override
    public long samplerDry(
            long vocab, float multiplier, float base, int allowedLength, int lastN, String[] sequenceBreakers) {
        try (Arena arena = Arena.ofConfined()) {
            return llama_h.llama_sampler_init_dry(
                            pointer(vocab),
                            multiplier,
                            base,
                            allowedLength,
                            lastN,
                            NativeMemory.texts(arena, sequenceBreakers),
                            sequenceBreakers.length)
                    .address();
        }
    }

    @Override
    public long samplerAdaptiveP(float target, float decay, int seed) {
        return llama_h.llama_sampler_init_adaptive_p(target, decay, seed).address();
    }

    @Override
    public long samplerLogitBias(int vocabSize, int[] tokens, float[] biases) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment entries = llama_logit_bias.allocateArray(tokens.length, arena);
            for (int i = 0; i < tokens.length; i++) {
                MemorySegment entry = llama_logit_bias.asSlice(entries, i);
                llama_logit_bias.token(entry, tokens[i]);
                llama_logit_bias.bias(entry, biases[i]);
            }
            return llama_h.llama_sampler_init_logit_bias(vocabSize, tokens.length, entries)
                    .address();
        }
    }

    @Override
    public long samplerInfill(long vocab) {
        return llama_h.llama_sampler_init_infill(pointer(vocab)).address();
    }

    @Override
    public long samplerCustom(CustomSamplerCalls calls) {
        return CustomSamplers.create(calls).address();
    }
}
