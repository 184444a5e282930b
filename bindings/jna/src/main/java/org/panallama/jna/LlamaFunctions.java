package org.panallama.jna;

import org.jspecify.annotations.Nullable;

/**
 * The functions of {@code libllama}, mapped directly: JNA binds each native method to the C function of its name.
 *
 * <p>An address is a {@code long} (all calling conventions of our platforms pass it as they pass a 64-bit integer), a
 * {@code bool} is a {@code byte} (JNA takes a Java {@code boolean} for a C {@code int}), text is UTF-8 with a terminator, and an array
 * is copied to native memory for the call and back. So nothing but the structures, which llama.cpp takes by value, is an object
 * of JNA's.
 */
final class LlamaFunctions {

    private LlamaFunctions() {}

    static native long llama_version();

    static native long llama_print_system_info();

    static native void llama_backend_init();

    static native void llama_numa_init(int numa);

    static native void llama_log_set(long callback, long data);

    static native long llama_time_us();

    static native byte llama_supports_mmap();

    static native byte llama_supports_mlock();

    static native byte llama_supports_gpu_offload();

    static native long llama_max_devices();

    static native long llama_max_parallel_sequences();

    static native LlamaModelParams llama_model_default_params();

    static native long llama_model_load_from_file(byte[] path, LlamaModelParams params);

    static native long llama_model_load_from_splits(long[] paths, long count, LlamaModelParams params);

    static native void llama_model_free(long model);

    static native void llama_model_save_to_file(long model, byte[] path);

    static native LlamaQuantizeParams llama_model_quantize_default_params();

    static native int llama_model_quantize(byte[] input, byte[] output, long params);

    static native long llama_model_get_vocab(long model);

    static native int llama_model_desc(long model, byte[] buffer, long size);

    static native long llama_model_size(long model);

    static native long llama_model_n_params(long model);

    static native int llama_model_ftype(long model);

    static native long llama_ftype_name(int ftype);

    static native int llama_model_n_ctx_train(long model);

    static native int llama_model_n_embd(long model);

    static native int llama_model_n_embd_inp(long model);

    static native int llama_model_n_embd_out(long model);

    static native int llama_model_n_layer(long model);

    static native int llama_model_n_head(long model);

    static native int llama_model_n_head_kv(long model);

    static native int llama_model_n_swa(long model);

    static native int llama_model_rope_type(long model);

    static native float llama_model_rope_freq_scale_train(long model);

    static native byte llama_model_has_encoder(long model);

    static native byte llama_model_has_decoder(long model);

    static native byte llama_model_is_recurrent(long model);

    static native byte llama_model_is_hybrid(long model);

    static native byte llama_model_is_diffusion(long model);

    static native int llama_model_decoder_start_token(long model);

    static native int llama_model_n_cls_out(long model);

    static native long llama_model_cls_label(long model, int index);

    static native long llama_model_chat_template(long model, byte @Nullable [] name);

    static native int llama_model_meta_count(long model);

    static native int llama_model_meta_key_by_index(long model, int index, byte[] buffer, long size);

    static native int llama_model_meta_val_str_by_index(long model, int index, byte[] buffer, long size);

    static native long llama_adapter_lora_init(long model, byte[] path);

    static native void llama_adapter_lora_free(long adapter);

    static native int llama_adapter_meta_count(long adapter);

    static native int llama_adapter_meta_key_by_index(long adapter, int index, byte[] buffer, long size);

    static native int llama_adapter_meta_val_str_by_index(long adapter, int index, byte[] buffer, long size);

    static native long llama_adapter_get_alora_n_invocation_tokens(long adapter);

    static native long llama_adapter_get_alora_invocation_tokens(long adapter);

    static native int llama_vocab_type(long vocab);

    static native int llama_vocab_n_tokens(long vocab);

    static native long llama_vocab_get_text(long vocab, int token);

    static native float llama_vocab_get_score(long vocab, int token);

    static native int llama_vocab_get_attr(long vocab, int token);

    static native byte llama_vocab_is_eog(long vocab, int token);

    static native byte llama_vocab_is_control(long vocab, int token);

    static native int llama_vocab_bos(long vocab);

    static native int llama_vocab_eos(long vocab);

    static native int llama_vocab_eot(long vocab);

    static native int llama_vocab_sep(long vocab);

    static native int llama_vocab_nl(long vocab);

    static native int llama_vocab_pad(long vocab);

    static native int llama_vocab_mask(long vocab);

    static native int llama_vocab_fim_pre(long vocab);

    static native int llama_vocab_fim_suf(long vocab);

    static native int llama_vocab_fim_mid(long vocab);

    static native int llama_vocab_fim_pad(long vocab);

    static native int llama_vocab_fim_rep(long vocab);

    static native int llama_vocab_fim_sep(long vocab);

    static native byte llama_vocab_get_add_bos(long vocab);

    static native byte llama_vocab_get_add_eos(long vocab);

    static native byte llama_vocab_get_add_sep(long vocab);

    static native long llama_vocab_get_suppress_tokens(long vocab, int[] count);

    static native int llama_tokenize(
            long vocab, byte[] text, int textBytes, int[] tokens, int capacity, byte addSpecial, byte parseSpecial);

    static native int llama_token_to_piece(long vocab, int token, byte[] buffer, int length, int lstrip, byte special);

    static native int llama_detokenize(
            long vocab, int[] tokens, int count, byte[] text, int capacity, byte removeSpecial, byte unparseSpecial);

    static native int llama_chat_apply_template(
            byte[] template, long chat, long count, byte addAssistant, byte @Nullable [] buffer, int length);

    static native int llama_chat_builtin_templates(long @Nullable [] names, long length);

    static native LlamaContextParams llama_context_default_params();

    static native long llama_init_from_model(long model, LlamaContextParams params);

    static native void llama_free(long context);

    static native int llama_n_ctx(long context);

    static native int llama_n_ctx_seq(long context);

    static native int llama_n_batch(long context);

    static native int llama_n_ubatch(long context);

    static native int llama_n_seq_max(long context);

    static native int llama_pooling_type(long context);

    static native int llama_n_threads(long context);

    static native int llama_n_threads_batch(long context);

    static native void llama_set_n_threads(long context, int threads, int threadsBatch);

    static native void llama_set_embeddings(long context, byte embeddings);

    static native void llama_set_causal_attn(long context, byte causal);

    static native void llama_synchronize(long context);

    static native long llama_get_logits_ith(long context, int index);

    static native long llama_get_embeddings_ith(long context, int index);

    static native long llama_get_embeddings_seq(long context, int sequence);

    static native int llama_set_adapters_lora(long context, long[] adapters, long count, float[] scales);

    static native int llama_set_adapter_cvec(
            long context, float @Nullable [] data, long length, int embedding, int firstLayer, int lastLayer);

    static native LlamaPerfData llama_perf_context(long context);

    static native void llama_perf_context_reset(long context);

    static native int llama_decode(long context, LlamaBatch batch);

    static native int llama_encode(long context, LlamaBatch batch);

    static native long llama_get_memory(long context);

    static native void llama_memory_clear(long memory, byte data);

    static native byte llama_memory_seq_rm(long memory, int sequence, int from, int to);

    static native void llama_memory_seq_cp(long memory, int source, int target, int from, int to);

    static native void llama_memory_seq_keep(long memory, int sequence);

    static native void llama_memory_seq_add(long memory, int sequence, int from, int to, int delta);

    static native void llama_memory_seq_div(long memory, int sequence, int from, int to, int divisor);

    static native int llama_memory_seq_pos_min(long memory, int sequence);

    static native int llama_memory_seq_pos_max(long memory, int sequence);

    static native byte llama_memory_can_shift(long memory);

    static native long llama_state_get_size(long context);

    static native long llama_state_get_data(long context, long address, long size);

    static native long llama_state_set_data(long context, long address, long size);

    static native long llama_state_seq_get_size_ext(long context, int sequence, int flags);

    static native long llama_state_seq_get_data_ext(long context, long address, long size, int sequence, int flags);

    static native long llama_state_seq_set_data_ext(long context, long address, long size, int sequence, int flags);

    static native LlamaSamplerChainParams llama_sampler_chain_default_params();

    static native long llama_sampler_chain_init(LlamaSamplerChainParams params);

    static native void llama_sampler_chain_add(long chain, long sampler);

    static native int llama_sampler_chain_n(long chain);

    static native long llama_sampler_chain_get(long chain, int index);

    static native long llama_sampler_init(long functions, long data);

    static native void llama_sampler_free(long sampler);

    static native long llama_sampler_name(long sampler);

    static native void llama_sampler_reset(long sampler);

    static native long llama_sampler_clone(long sampler);

    static native void llama_sampler_accept(long sampler, int token);

    static native void llama_sampler_apply(long sampler, long candidates);

    static native int llama_sampler_sample(long sampler, long context, int index);

    static native int llama_sampler_get_seed(long sampler);

    static native long llama_sampler_init_greedy();

    static native long llama_sampler_init_dist(int seed);

    static native long llama_sampler_init_top_k(int k);

    static native long llama_sampler_init_top_p(float p, long minKeep);

    static native long llama_sampler_init_min_p(float p, long minKeep);

    static native long llama_sampler_init_typical(float p, long minKeep);

    static native long llama_sampler_init_temp(float t);

    static native long llama_sampler_init_temp_ext(float t, float delta, float exponent);

    static native long llama_sampler_init_xtc(float p, float t, long minKeep, int seed);

    static native long llama_sampler_init_top_n_sigma(float n);

    static native long llama_sampler_init_mirostat(int vocabSize, int seed, float tau, float eta, int m);

    static native long llama_sampler_init_mirostat_v2(int seed, float tau, float eta);

    static native long llama_sampler_init_grammar(long vocab, byte[] grammar, byte[] root);

    static native long llama_sampler_init_penalties(
            int vocabSize, int lastN, float repeat, float frequency, float presence);

    static native long llama_sampler_init_dry(
            long vocab, float multiplier, float base, int allowedLength, int lastN, long[] breakers, long count);

    static native long llama_sampler_init_adaptive_p(float target, float decay, int seed);

    static native long llama_sampler_init_logit_bias(int vocabSize, int count, int[] entries);

    static native long llama_sampler_init_infill(long vocab);
}
