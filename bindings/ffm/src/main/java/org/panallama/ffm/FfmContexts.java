package org.panallama.ffm;

import static org.panallama.ffm.NativeMemory.pointer;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.panallama.ffm.generated.ggml_backend_sched_eval_callback;
import org.panallama.ffm.generated.llama_context_params;
import org.panallama.ffm.generated.llama_h;
import org.panallama.ffm.generated.llama_perf_context_data;
import org.panallama.spi.ContextCalls;
import org.panallama.spi.ContextParams;
import org.panallama.spi.EvaluationSink;
import org.panallama.spi.PerfData;
import org.panallama.spi.Upcalls;

abstract class FfmContexts extends FfmChat implements ContextCalls {

    /**
     * The C library's {@code strlen}, which serves as llama.cpp's abort callback with the flag as its data: the flag is the
     * empty string or a string of one byte, so the answer is 0 or 1. llama.cpp asks before every node of the graph, and this
     * way it never enters the JVM for it.
     *
     * <p>The callback's type is {@code bool (*)(void *)}, and {@code strlen} returns a {@code size_t}. On every platform with
     * a runtime (System V and Microsoft x64, AAPCS64 and Apple's variant) both come back in the same register, the caller of
     * a {@code bool} reads no more than its low byte or finds the rest zero, and 0 and 1 are the two values of a {@code bool}.
     */
    private static final MemorySegment STRLEN =
            Linker.nativeLinker().defaultLookup().find("strlen").orElseThrow();

    /** The callbacks of contexts that have one. */
    private static final Map<Long, Arena> EVALUATIONS = new ConcurrentHashMap<>();

    @Override
    public long contextNew(long model, ContextParams params) {
        EvaluationSink sink = params.evaluation();
        if (sink == null) {
            return contextNew(model, params, MemorySegment.NULL);
        }
        Arena kept = Arena.ofShared();
        long context = 0;
        try {
            MemorySegment callback = ggml_backend_sched_eval_callback.allocate(
                    (tensor, ask, unused) -> evaluate(sink, tensor.address(), ask), kept);
            context = contextNew(model, params, callback);
            return context;
        } finally {
            if (context == 0) {
                kept.close();
            } else {
                EVALUATIONS.put(context, kept);
            }
        }
    }

    private static boolean evaluate(EvaluationSink sink, long tensor, boolean ask) {
        try {
            return sink.evaluate(tensor, ask);
        } catch (Throwable e) {
            Upcalls.report("evaluation sink", e);
            return false;
        }
    }

    private static long contextNew(long model, ContextParams params, MemorySegment evaluation) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment to = llama_h.llama_context_default_params(arena);
            llama_context_params.n_ctx(to, params.length());
            llama_context_params.n_batch(to, params.batch());
            llama_context_params.n_ubatch(to, params.microBatch());
            llama_context_params.n_seq_max(to, params.maxSequences());
            llama_context_params.n_threads(to, params.threads());
            llama_context_params.n_threads_batch(to, params.threadsBatch());
            llama_context_params.rope_scaling_type(to, params.ropeScaling());
            llama_context_params.pooling_type(to, params.pooling());
            llama_context_params.attention_type(to, params.attention());
            llama_context_params.flash_attn_type(to, params.flashAttention());
            llama_context_params.rope_freq_base(to, params.ropeFrequencyBase());
            llama_context_params.rope_freq_scale(to, params.ropeFrequencyScale());
            llama_context_params.yarn_ext_factor(to, params.yarnExtFactor());
            llama_context_params.yarn_attn_factor(to, params.yarnAttnFactor());
            llama_context_params.yarn_beta_fast(to, params.yarnBetaFast());
            llama_context_params.yarn_beta_slow(to, params.yarnBetaSlow());
            llama_context_params.yarn_orig_ctx(to, params.yarnOriginalContext());
            llama_context_params.type_k(to, params.typeK());
            llama_context_params.type_v(to, params.typeV());
            llama_context_params.cb_eval(to, evaluation);
            if (params.abortFlag() != 0) {
                llama_context_params.abort_callback(to, STRLEN);
                llama_context_params.abort_callback_data(to, pointer(params.abortFlag()));
            }
            llama_context_params.embeddings(to, params.embeddings());
            llama_context_params.offload_kqv(to, params.offloadKqv());
            llama_context_params.no_perf(to, params.noPerf());
            llama_context_params.op_offload(to, params.opOffload());
            llama_context_params.swa_full(to, params.swaFull());
            llama_context_params.kv_unified(to, params.kvUnified());
            return llama_h.llama_init_from_model(pointer(model), to).address();
        }
    }

    @Override
    public void contextFree(long context) {
        // Taken out first: once the context is freed, another thread may be given a new one at the same address.
        Arena kept = EVALUATIONS.remove(context);
        llama_h.llama_free(pointer(context));
        if (kept != null) {
            kept.close();
        }
    }

    @Override
    public int contextLength(long context) {
        return llama_h.llama_n_ctx(pointer(context));
    }

    @Override
    public int contextLengthPerSequence(long context) {
        return llama_h.llama_n_ctx_seq(pointer(context));
    }

    @Override
    public int contextBatch(long context) {
        return llama_h.llama_n_batch(pointer(context));
    }

    @Override
    public int contextMicroBatch(long context) {
        return llama_h.llama_n_ubatch(pointer(context));
    }

    @Override
    public int contextMaxSequences(long context) {
        return llama_h.llama_n_seq_max(pointer(context));
    }

    @Override
    public int contextPooling(long context) {
        return llama_h.llama_pooling_type(pointer(context));
    }

    @Override
    public int contextThreads(long context) {
        return llama_h.llama_n_threads(pointer(context));
    }

    @Override
    public int contextThreadsBatch(long context) {
        return llama_h.llama_n_threads_batch(pointer(context));
    }

    @Override
    public void contextSetThreads(long context, int threads, int threadsBatch) {
        llama_h.llama_set_n_threads(pointer(context), threads, threadsBatch);
    }

    @Override
    public void contextSetEmbeddings(long context, boolean embeddings) {
        llama_h.llama_set_embeddings(pointer(context), embeddings);
    }

    @Override
    public void contextSetCausalAttention(long context, boolean causal) {
        llama_h.llama_set_causal_attn(pointer(context), causal);
    }

    @Override
    public void contextSynchronize(long context) {
        llama_h.llama_synchronize(pointer(context));
    }

    @Override
    public long logits(long context, int index) {
        return TokenFunctions.logits(context, index);
    }

    @Override
    public long embeddings(long context, int index) {
        return TokenFunctions.embeddings(context, index);
    }

    @Override
    public long embeddingsOfSequence(long context, int sequence) {
        return TokenFunctions.embeddingsOfSequence(context, sequence);
    }

    @Override
    public int contextSetLora(long context, long[] adapters, float[] scales) {
        try (Arena arena = Arena.ofConfined()) {
            return llama_h.llama_set_adapters_lora(
                    pointer(context),
                    arena.allocateFrom(ValueLayout.JAVA_LONG, adapters),
                    adapters.length,
                    arena.allocateFrom(ValueLayout.JAVA_FLOAT, scales));
        }
    }

    @Override
    public int contextSetControlVector(long context, float[] data, int embedding, int firstLayer, int lastLayer) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment vector =
                    data.length == 0 ? MemorySegment.NULL : arena.allocateFrom(ValueLayout.JAVA_FLOAT, data);
            return llama_h.llama_set_adapter_cvec(
                    pointer(context), vector, data.length, embedding, firstLayer, lastLayer);
        }
    }

    @Override
    public PerfData perf(long context) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = llama_h.llama_perf_context(arena, pointer(context));
            return new PerfData(
                    llama_perf_context_data.t_start_ms(data),
                    llama_perf_context_data.t_load_ms(data),
                    llama_perf_context_data.t_p_eval_ms(data),
                    llama_perf_context_data.t_eval_ms(data),
                    llama_perf_context_data.n_p_eval(data),
                    llama_perf_context_data.n_eval(data),
                    llama_perf_context_data.n_reused(data));
        }
    }

    @Override
    public void perfReset(long context) {
        llama_h.llama_perf_context_reset(pointer(context));
    }
}
