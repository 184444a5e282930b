package org.panallama.ffm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.panallama.ffm.generated.llama_h;
import org.panallama.ffm.generated.llama_sampler;
import org.panallama.ffm.generated.llama_sampler_i;
import org.panallama.spi.CustomSamplerCalls;

/**
 * Samplers that are written in Java. All share one table of functions, made once; a sampler's {@code ctx} is not a pointer but
 * the number under which its {@link CustomSamplerCalls} are registered.
 */
final class CustomSamplers {

    /** @param name memory that lives as long as the registration: llama.cpp keeps what its name function returns */
    private record Registration(CustomSamplerCalls calls, MemorySegment name) {}

    private static final Map<Long, Registration> REGISTRATIONS = new ConcurrentHashMap<>();
    private static final AtomicLong LAST_NUMBER = new AtomicLong();
    private static final MemorySegment FUNCTIONS = functions(Arena.global());

    private CustomSamplers() {}

    static MemorySegment create(CustomSamplerCalls calls) {
        MemorySegment name = NativeMemory.text(Arena.ofAuto(), calls.name());
        return create(new Registration(calls, name));
    }

    private static MemorySegment create(Registration registration) {
        long number = LAST_NUMBER.incrementAndGet();
        REGISTRATIONS.put(number, registration);
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

    private static Registration registration(MemorySegment sampler) {
        return REGISTRATIONS.get(number(sampler));
    }

    private static MemorySegment name(MemorySegment sampler) {
        return registration(sampler).name;
    }

    private static void accept(MemorySegment sampler, int token) {
        try {
            registration(sampler).calls.accept(token);
        } catch (Throwable e) {
            Upcalls.report("custom sampler's accept", e);
        }
    }

    private static void apply(MemorySegment sampler, MemorySegment candidates) {
        try {
            registration(sampler).calls.apply(candidates.address());
        } catch (Throwable e) {
            Upcalls.report("custom sampler's apply", e);
        }
    }

    private static void reset(MemorySegment sampler) {
        try {
            registration(sampler).calls.reset();
        } catch (Throwable e) {
            Upcalls.report("custom sampler's reset", e);
        }
    }

    /** llama.cpp takes no null for an answer; where the copy fails, the clone leaves the candidates as they are. */
    private static MemorySegment copy(MemorySegment sampler) {
        Registration original = registration(sampler);
        CustomSamplerCalls copy;
        try {
            copy = original.calls.copy();
        } catch (Throwable e) {
            Upcalls.report("custom sampler's copy", e);
            copy = new PassThrough(original.name.getString(0));
        }
        return create(new Registration(copy, original.name));
    }

    private static void free(MemorySegment sampler) {
        try {
            REGISTRATIONS.remove(number(sampler)).calls.freed();
        } catch (Throwable e) {
            Upcalls.report("custom sampler's freed", e);
        }
    }

    /** Stands in for a sampler that could not be copied. */
    private record PassThrough(String name) implements CustomSamplerCalls {

        @Override
        public void accept(int token) {}

        @Override
        public void apply(long candidates) {}

        @Override
        public void reset() {}

        @Override
        public CustomSamplerCalls copy() {
            return this;
        }

        @Override
        public void freed() {}
    }
}
