package org.panallama.jna;

import static org.panallama.jna.NativeMemory.bool;
import static org.panallama.jna.NativeMemory.text;
import static org.panallama.jna.NativeMemory.utf8;

import org.panallama.spi.Binding;
import org.panallama.spi.CustomSamplerCalls;

/**
 * The whole of the SPI. It is one interface of some 190 calls, which stand here in layers, each a group of calls over the
 * groups that it needs; this last one has the samplers.
 */
final class JnaBinding extends JnaCandidates implements Binding {

    @Override
    public long chainNew(boolean noPerf) {
        LlamaSamplerChainParams params = LlamaFunctions.llama_sampler_chain_default_params();
        params.no_perf = bool(noPerf);
        return LlamaFunctions.llama_sampler_chain_init(params);
    }

    @Override
    public void chainAdd(long chain, long sampler) {
        LlamaFunctions.llama_sampler_chain_add(chain, sampler);
    }

    @Override
    public int chainCount(long chain) {
        return LlamaFunctions.llama_sampler_chain_n(chain);
    }

    @Override
    public long chainGet(long chain, int index) {
        return LlamaFunctions.llama_sampler_chain_get(chain, index);
    }

    @Override
    public void samplerFree(long sampler) {
        LlamaFunctions.llama_sampler_free(sampler);
    }

    @Override
    public String samplerName(long sampler) {
        return text(LlamaFunctions.llama_sampler_name(sampler));
    }

    @Override
    public void samplerReset(long sampler) {
        LlamaFunctions.llama_sampler_reset(sampler);
    }

    @Override
    public long samplerClone(long sampler) {
        return LlamaFunctions.llama_sampler_clone(sampler);
    }

    @Override
    public void samplerAccept(long sampler, int token) {
        LlamaFunctions.llama_sampler_accept(sampler, token);
    }

    @Override
    public void samplerApply(long sampler, long candidates) {
        LlamaFunctions.llama_sampler_apply(sampler, candidates);
    }

    @Override
    public int samplerSample(long sampler, long context, int index) {
        return LlamaFunctions.llama_sampler_sample(sampler, context, index);
    }

    @Override
    public int samplerSeed(long sampler) {
        return LlamaFunctions.llama_sampler_get_seed(sampler);
    }

    @Override
    public long samplerGreedy() {
        return LlamaFunctions.llama_sampler_init_greedy();
    }

    @Override
    public long samplerDist(int seed) {
        return LlamaFunctions.llama_sampler_init_dist(seed);
    }

    @Override
    public long samplerTopK(int k) {
        return LlamaFunctions.llama_sampler_init_top_k(k);
    }

    @Override
    public long samplerTopP(float p, int minKeep) {
        return LlamaFunctions.llama_sampler_init_top_p(p, minKeep);
    }

    @Override
    public long samplerMinP(float p, int minKeep) {
        return LlamaFunctions.llama_sampler_init_min_p(p, minKeep);
    }

    @Override
    public long samplerTypical(float p, int minKeep) {
        return LlamaFunctions.llama_sampler_init_typical(p, minKeep);
    }

    @Override
    public long samplerTemperature(float temperature) {
        return LlamaFunctions.llama_sampler_init_temp(temperature);
    }

    @Override
    public long samplerDynamicTemperature(float temperature, float range, float exponent) {
        return LlamaFunctions.llama_sampler_init_temp_ext(temperature, range, exponent);
    }

    @Override
    public long samplerXtc(float probability, float threshold, int minKeep, int seed) {
        return LlamaFunctions.llama_sampler_init_xtc(probability, threshold, minKeep, seed);
    }

    @Override
    public long samplerTopNSigma(float n) {
        return LlamaFunctions.llama_sampler_init_top_n_sigma(n);
    }

    @Override
    public long samplerMirostat(int vocabSize, int seed, float tau, float eta, int m) {
        return LlamaFunctions.llama_sampler_init_mirostat(vocabSize, seed, tau, eta, m);
    }

    @Override
    public long samplerMirostatV2(int seed, float tau, float eta) {
        return LlamaFunctions.llama_sampler_init_mirostat_v2(seed, tau, eta);
    }

    @Override
    public long samplerGrammar(long vocab, String grammar, String root) {
        return LlamaFunctions.llama_sampler_init_grammar(vocab, utf8(grammar), utf8(root));
    }

    @Override
    public long samplerPenalties(int vocabSize, int lastN, float repeat, float frequency, float presence) {
        return LlamaFunctions.llama_sampler_init_penalties(vocabSize, lastN, repeat, frequency, presence);
    }

    @Override
    public long samplerDry(
            long vocab, float multiplier, float base, int allowedLength, int lastN, String[] sequenceBreakers) {
        try (NativeArena arena = new NativeArena()) {
            return LlamaFunctions.llama_sampler_init_dry(
                    vocab,
                    multiplier,
                    base,
                    allowedLength,
                    lastN,
                    arena.texts(sequenceBreakers),
                    sequenceBreakers.length);
        }
    }

    @Override
    public long samplerAdaptiveP(float target, float decay, int seed) {
        return LlamaFunctions.llama_sampler_init_adaptive_p(target, decay, seed);
    }

    @Override
    public long samplerLogitBias(int vocabSize, int[] tokens, float[] biases) {
        // llama_logit_bias is an int and a float.
        int[] entries = new int[2 * tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            entries[2 * i] = tokens[i];
            entries[2 * i + 1] = Float.floatToRawIntBits(biases[i]);
        }
        return LlamaFunctions.llama_sampler_init_logit_bias(vocabSize, tokens.length, entries);
    }

    @Override
    public long samplerInfill(long vocab) {
        return LlamaFunctions.llama_sampler_init_infill(vocab);
    }

    @Override
    public long samplerCustom(CustomSamplerCalls calls) {
        return CustomSamplers.create(calls);
    }
}
