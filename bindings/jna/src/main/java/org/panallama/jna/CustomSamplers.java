package org.panallama.jna;

import static org.panallama.jna.NativeMemory.ALL;
import static org.panallama.jna.NativeMemory.POINTER_BYTES;

import com.sun.jna.Callback;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.panallama.spi.CustomSamplerCalls;

/**
 * Samplers that are written in Java. All share one table of functions, made once; a sampler's {@code ctx} is not a pointer but
 * the number under which its {@link CustomSamplerCalls} are registered.
 */
final class CustomSamplers {

    /** @param name memory that lives as long as the registration: llama.cpp keeps what its name function returns */
    private record Registration(CustomSamplerCalls calls, Memory name) {}

    /** A function of the sampler that returns an address. */
    @FunctionalInterface
    private interface Query extends Callback {
        long call(long sampler);
    }

    @FunctionalInterface
    private interface Action extends Callback {
        void call(long sampler);
    }

    @FunctionalInterface
    private interface Accept extends Callback {
        void call(long sampler, int token);
    }

    @FunctionalInterface
    private interface Apply extends Callback {
        void call(long sampler, long candidates);
    }

    /** {@code llama_sampler}: the table of functions, and {@code ctx}. */
    private static final long SAMPLER_DATA = POINTER_BYTES;

    /** Entries of {@code llama_sampler_i}. */
    private static final int TABLE_ENTRIES = 12;

    private static final Map<Long, Registration> REGISTRATIONS = new ConcurrentHashMap<>();
    private static final AtomicLong LAST_NUMBER = new AtomicLong();

    /** In the order of {@code llama_sampler_i}. What follows there, for backend sampling, llama.cpp need not call. */
    private static final List<Callback> CALLBACKS = List.of(
            (Query) CustomSamplers::name,
            (Accept) CustomSamplers::accept,
            (Apply) CustomSamplers::apply,
            (Action) CustomSamplers::reset,
            (Query) CustomSamplers::copy,
            (Action) CustomSamplers::free);

    private static final long FUNCTIONS = functions();

    private CustomSamplers() {}

    static long create(CustomSamplerCalls calls) {
        byte[] utf8 = NativeMemory.utf8(calls.name());
        Memory name = new Memory(utf8.length);
        name.write(0, utf8, 0, utf8.length);
        return create(new Registration(calls, name));
    }

    private static long create(Registration registration) {
        long number = LAST_NUMBER.incrementAndGet();
        REGISTRATIONS.put(number, registration);
        return LlamaFunctions.llama_sampler_init(FUNCTIONS, number);
    }

    /** The table is never freed. */
    private static long functions() {
        long table = NativeMemory.allocate((long) TABLE_ENTRIES * POINTER_BYTES);
        for (int i = 0; i < CALLBACKS.size(); i++) {
            ALL.setLong(table + (long) i * POINTER_BYTES, CLibrary.pointer(CALLBACKS.get(i)));
        }
        return table;
    }

    private static long number(long sampler) {
        return ALL.getLong(sampler + SAMPLER_DATA);
    }

    private static Registration registration(long sampler) {
        return REGISTRATIONS.get(number(sampler));
    }

    private static long name(long sampler) {
        return Pointer.nativeValue(registration(sampler).name);
    }

    private static void accept(long sampler, int token) {
        try {
            registration(sampler).calls.accept(token);
        } catch (Throwable e) {
            Upcalls.report("custom sampler's accept", e);
        }
    }

    private static void apply(long sampler, long candidates) {
        try {
            registration(sampler).calls.apply(candidates);
        } catch (Throwable e) {
            Upcalls.report("custom sampler's apply", e);
        }
    }

    private static void reset(long sampler) {
        try {
            registration(sampler).calls.reset();
        } catch (Throwable e) {
            Upcalls.report("custom sampler's reset", e);
        }
    }

    /** llama.cpp takes no null for an answer; where the copy fails, the clone leaves the candidates as they are. */
    private static long copy(long sampler) {
        Registration original = registration(sampler);
        CustomSamplerCalls copy;
        try {
            copy = original.calls.copy();
        } catch (Throwable e) {
            Upcalls.report("custom sampler's copy", e);
            copy = new PassThrough(original.name.getString(0, "UTF-8"));
        }
        return create(new Registration(copy, original.name));
    }

    private static void free(long sampler) {
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
