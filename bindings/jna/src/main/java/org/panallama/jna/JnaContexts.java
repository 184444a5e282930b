package org.panallama.jna;

import static org.panallama.jna.NativeMemory.bool;

import com.sun.jna.Callback;
import java.lang.ref.Reference;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.panallama.spi.ContextCalls;
import org.panallama.spi.ContextParams;
import org.panallama.spi.EvaluationSink;
import org.panallama.spi.PerfData;
import org.panallama.spi.Upcalls;

abstract class JnaContexts extends JnaChat implements ContextCalls {

    /**
     * The C library's {@code strlen}, which serves as llama.cpp's abort callback with the flag as its data: the flag is the
     * empty string or a string of one byte, so the answer is 0 or 1. llama.cpp asks before every node of the graph, and this
     * way it never enters the JVM for it.
     *
     * <p>The callback's type is {@code bool (*)(void *)}, and {@code strlen} returns a {@code size_t}. On every platform with
     * a runtime (System V and Microsoft x64, AAPCS64 and Apple's variant) both come back in the same register, the caller of
     * a {@code bool} reads no more than its low byte or finds the rest zero, and 0 and 1 are the two values of a {@code bool}.
     */
    private static final long STRLEN = CLibrary.address("strlen");

    /** The callbacks of contexts that have one. */
    private static final Map<Long, EvaluationCallback> EVALUATIONS = new ConcurrentHashMap<>();

    /** {@code ggml_backend_sched_eval_callback}. */
    @FunctionalInterface
    private interface EvaluationCallback extends Callback {
        byte evaluate(long tensor, byte ask, long unused);
    }

    @Override
    public long contextNew(long model, ContextParams params) {
        EvaluationSink sink = params.evaluation();
        if (sink == null) {
            return contextNew(model, params, 0);
        }
        EvaluationCallback callback = (tensor, ask, unused) -> evaluate(sink, tensor, ask);
        long context = 0;
        try {
            context = contextNew(model, params, CLibrary.pointer(callback));
            return context;
        } finally {
            if (context != 0) {
                EVALUATIONS.put(context, callback);
            }
            Reference.reachabilityFence(callback);
        }
    }

    private static byte evaluate(EvaluationSink sink, long tensor, byte ask) {
        try {
            return bool(sink.evaluate(tensor, ask != 0));
        } catch (Throwable e) {
            Upcalls.report("evaluation sink", e);
            return 0;
        }
    }

    private static long contextNew(long model, ContextParams params, long evaluation) {
        LlamaContextParams to = LlamaFunctions.llama_context_default_params();
        to.n_ctx = params.length();
        to.n_batch = params.batch();
        to.n_ubatch = params.microBatch();
        to.n_seq_max = params.maxSequences();
        to.n_threads = params.threads();
        to.n_threads_batch = params.threadsBatch();
        to.rope_scaling_type = params.ropeScaling();
        to.pooling_type = params.pooling();
        to.attention_type = params.attention();
        to.flash_attn_type = params.flashAttention();
        to.rope_freq_base = params.ropeFrequencyBase();
        to.rope_freq_scale = params.ropeFrequencyScale();
        to.yarn_ext_factor = params.yarnExtFactor();
        to.yarn_attn_factor = params.yarnAttnFactor();
        to.yarn_beta_fast = params.yarnBetaFast();
        to.yarn_beta_slow = params.yarnBetaSlow();
        to.yarn_orig_ctx = params.yarnOriginalContext();
        to.type_k = params.typeK();
        to.type_v = params.typeV();
        to.cb_eval = evaluation;
        if (params.abortFlag() != 0) {
            to.abort_callback = STRLEN;
            to.abort_callback_data = params.abortFlag();
        }
        to.embeddings = bool(params.embeddings());
        to.offload_kqv = bool(params.offloadKqv());
        to.no_perf = bool(params.noPerf());
        to.op_offload = bool(params.opOffload());
        to.swa_full = bool(params.swaFull());
        to.kv_unified = bool(params.kvUnified());
        return LlamaFunctions.llama_init_from_model(model, to);
    }

    @Override
    public void contextFree(long context) {
        // Taken out first: once the context is freed, another thread may be given a new one at the same address.
        EvaluationCallback kept = EVALUATIONS.remove(context);
        LlamaFunctions.llama_free(context);
        Reference.reachabilityFence(kept);
    }

    @Override
    public int contextLength(long context) {
        return LlamaFunctions.llama_n_ctx(context);
    }

    @Override
    public int contextLengthPerSequence(long context) {
        return LlamaFunctions.llama_n_ctx_seq(context);
    }

    @Override
    public int contextBatch(long context) {
        return LlamaFunctions.llama_n_batch(context);
    }

    @Override
    public int contextMicroBatch(long context) {
        return LlamaFunctions.llama_n_ubatch(context);
    }

    @Override
    public int contextMaxSequences(long context) {
        return LlamaFunctions.llama_n_seq_max(context);
    }

    @Override
    public int contextPooling(long context) {
        return LlamaFunctions.llama_pooling_type(context);
    }

    @Override
    public int contextThreads(long context) {
        return LlamaFunctions.llama_n_threads(context);
    }

    @Override
    public int contextThreadsBatch(long context) {
        return LlamaFunctions.llama_n_threads_batch(context);
    }

    @Override
    public void contextSetThreads(long context, int threads, int threadsBatch) {
        LlamaFunctions.llama_set_n_threads(context, threads, threadsBatch);
    }

    @Override
    public void contextSetEmbeddings(long context, boolean embeddings) {
        LlamaFunctions.llama_set_embeddings(context, bool(embeddings));
    }

    @Override
    public void contextSetCausalAttention(long context, boolean causal) {
        LlamaFunctions.llama_set_causal_attn(context, bool(causal));
    }

    @Override
    public void contextSynchronize(long context) {
        LlamaFunctions.llama_synchronize(context);
    }

    @Override
    public long logits(long context, int index) {
        return LlamaFunctions.llama_get_logits_ith(context, index);
    }

    @Override
    public long embeddings(long context, int index) {
        return LlamaFunctions.llama_get_embeddings_ith(context, index);
    }

    @Override
    public long embeddingsOfSequence(long context, int sequence) {
        return LlamaFunctions.llama_get_embeddings_seq(context, sequence);
    }

    @Override
    public int contextSetLora(long context, long[] adapters, float[] scales) {
        return LlamaFunctions.llama_set_adapters_lora(context, adapters, adapters.length, scales);
    }

    @Override
    public int contextSetControlVector(long context, float[] data, int embedding, int firstLayer, int lastLayer) {
        return LlamaFunctions.llama_set_adapter_cvec(
                context, data.length == 0 ? null : data, data.length, embedding, firstLayer, lastLayer);
    }

    @Override
    public PerfData perf(long context) {
        LlamaPerfData data = LlamaFunctions.llama_perf_context(context);
        return new PerfData(
                data.t_start_ms,
                data.t_load_ms,
                data.t_p_eval_ms,
                data.t_eval_ms,
                data.n_p_eval,
                data.n_eval,
                data.n_reused);
    }

    @Override
    public void perfReset(long context) {
        LlamaFunctions.llama_perf_context_reset(context);
    }
}
