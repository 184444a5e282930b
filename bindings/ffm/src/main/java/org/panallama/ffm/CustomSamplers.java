package org.panallama.ffm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.panallama.ffm.generated.llama_h;
import org.panallama.ffm.generated.llama_sampler;
import org.panallama.ffm.generated.llama_sampler_i;
import org.panallama.spi.CustomSamplerCalls;
import org.panallama.spi.CustomSamplerRegistry;

/**
 * Samplers that are written in Java. All share one table of functions, made once; a sampler's {@code ctx} is not a pointer but
 * the number under which its {@link CustomSamplerCalls} are in the {@link CustomSamplerRegistry}.
 */
final class CustomSamplers {

    private static final CustomSamplerRegistry<MemorySegment> REGISTRY = new CustomSamplerRegistry<>();
    private static final MemorySegment FUNCTIONS = functions(Arena.global());

    private CustomSamplers() {}

    static MemorySegment create(CustomSamplerCalls calls) {
        String name = calls.name();
        return create(REGISTRY.register(calls, name, NativeMemory.text(Arena.ofAuto(), name)));
    }

    private static MemorySegment create(long number) {
        return llama_h.llama_sampler_init(FUNCTIONS, NativeMemory.pointer(number));
    }

    /** What llama.cpp need not call (backend sampling) stays null. */
    private static MemorySegment functions(Arena arena) {
        MemorySegment table = llama_sampler_i.allocate(arena);
        llama_sampler_i.name(table, llama_sampler_i.name.allocate(CustomSamplers::name, arena));
        llama_sampler_i.accept(table, llama_sampler_i.accept.allocate(CustomSamplers::accept, arena));
        llama_sampler_i.apply(table, llama_sampler_i.apply.allocate(CustomSamplers::apply, arena));
        llama_sampler_i.reset(table, llama_sampler_i.reset.allocate(CustomSamplers::reset, arena));
        llama_sampler_i.clone(table, llama_sampler_i.clone.allocate(CustomSamplers::copy, arena));
        llama_sampler_i.free(table, llama_sampler_i.free.allocate(CustomSamplers::free, arena));
        return table;
    }

    private static long number(MemorySegment sampler) {
        return llama_sampler.ctx(sampler).address();
    }

    private static MemorySegment name(MemorySegment sampler) {
        return REGISTRY.name(number(sampler));
    }

    private static void accept(MemorySegment sampler, int token) {
        REGISTRY.accept(number(sampler), token);
    }

    private static void apply(MemorySegment sampler, MemorySegment candidates) {
        REGISTRY.apply(number(sampler), candidates.address());
    }

    private static void reset(MemorySegment sampler) {
        REGISTRY.reset(number(sampler));
    }

    private static MemorySegment copy(MemorySegment sampler) {
        return create(REGISTRY.copy(number(sampler)));
    }

    private static void free(MemorySegment sampler) {
        REGISTRY.free(number(sampler));
    }
}
