package org.panallama.jna;

import static org.panallama.jna.NativeMemory.ALL;
import static org.panallama.jna.NativeMemory.POINTER_BYTES;

import com.sun.jna.Callback;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.util.List;
import org.panallama.spi.CustomSamplerCalls;
import org.panallama.spi.CustomSamplerRegistry;

/**
 * Samplers that are written in Java. All share one table of functions, made once; a sampler's {@code ctx} is not a pointer but
 * the number under which its {@link CustomSamplerCalls} are in the {@link CustomSamplerRegistry}.
 */
final class CustomSamplers {

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

    private static final CustomSamplerRegistry<Memory> REGISTRY = new CustomSamplerRegistry<>();

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
        String name = calls.name();
        byte[] utf8 = NativeMemory.utf8(name);
        Memory memory = new Memory(utf8.length);
        memory.write(0, utf8, 0, utf8.length);
        return create(REGISTRY.register(calls, name, memory));
    }

    private static long create(long number) {
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

    private static long name(long sampler) {
        return Pointer.nativeValue(REGISTRY.name(number(sampler)));
    }

    private static void accept(long sampler, int token) {
        REGISTRY.accept(number(sampler), token);
    }

    private static void apply(long sampler, long candidates) {
        REGISTRY.apply(number(sampler), candidates);
    }

    private static void reset(long sampler) {
        REGISTRY.reset(number(sampler));
    }

    private static long copy(long sampler) {
        return create(REGISTRY.copy(number(sampler)));
    }

    private static void free(long sampler) {
        REGISTRY.free(number(sampler));
    }
}
