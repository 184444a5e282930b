package org.panallama.spi;

/**
 * {@code llama_sampler_*} and {@code llama_token_data_array}. A sampler that was added to a chain belongs to the chain.
 * Every {@code sampler…} factory returns 0 if llama.cpp refused.
 */
public interface SamplerCalls {

    long chainNew(boolean noPerf);

    void chainAdd(long chain, long sampler);

    int chainCount(long chain);

    /** {@code llama_sampler_chain_get}. */
    long chainGet(long chain, int index);

    void samplerFree(long sampler);

    String samplerName(long sampler);

    void samplerReset(long sampler);

    long samplerClone(long sampler);

    /** Ends the process if a grammar in {@code sampler} does not allow the token. */
    void samplerAccept(long sampler, int token);

    void samplerApply(long sampler, long candidates);

    /** {@code llama_sampler_sample}: applies, selects and accepts; no allocation. */
    int samplerSample(long sampler, long context, int index);

    /** {@code llama_sampler_get_seed}, as an unsigned 32-bit value. */
    int samplerSeed(long sampler);

    long samplerGreedy();

    long samplerDist(int seed);

    long samplerTopK(int k);

    long samplerTopP(float p, int minKeep);

    long samplerMinP(float p, int minKeep);

    long samplerTypical(float p, int minKeep);

    long samplerTemperature(float temperature);

    long samplerDynamicTemperature(float temperature, float range, float exponent);

    long samplerXtc(float probability, float threshold, int minKeep, int seed);

    long samplerTopNSigma(float n);

    long samplerMirostat(int vocabSize, int seed, float tau, float eta, int m);

    long samplerMirostatV2(int seed, float tau, float eta);

    long samplerGrammar(long vocab, String grammar, String root);

    long samplerPenalties(int vocabSize, int lastN, float repeat, float frequency, float presence);

    long samplerDry(long vocab, float multiplier, float base, int allowedLength, int lastN, String[] sequenceBreakers);

    long samplerAdaptiveP(float target, float decay, int seed);

    long samplerLogitBias(int vocabSize, int[] tokens, float[] biases);

    long samplerInfill(long vocab);

    /** A sampler whose work is done in Java; {@code calls} is held until the sampler is freed. */
    long samplerCustom(CustomSamplerCalls calls);

    /** {@code llama_token_data_array} with room for {@code capacity} entries. */
    long candidatesNew(int capacity);

    void candidatesFree(long candidates);

    /** Points the array at its own entries again and sets its size; nothing selected, not sorted. */
    void candidatesReset(long candidates, int size);

    /** Address of the entries, 12 bytes each: {@code int} token, {@code float} logit, {@code float} probability. */
    long candidatesData(long candidates);

    long candidatesSize(long candidates);

    void candidatesSetSize(long candidates, long size);

    /** Index of the selected entry, or -1. */
    long candidatesSelected(long candidates);

    void candidatesSetSelected(long candidates, long index);

    boolean candidatesSorted(long candidates);

    void candidatesSetSorted(long candidates, boolean sorted);
}
