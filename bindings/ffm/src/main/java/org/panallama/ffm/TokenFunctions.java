package org.panallama.ffm;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.panallama.ffm.generated.llama_h;

/**
 * The functions that are called for every token, with addresses as numbers.
 *
 * <p>The generated methods wrap every address in a {@link MemorySegment}. Most of these objects vanish when the JVM compiles
 * a caller together with the whole call, but whether it does depends on the order of compilation; here there are none. All
 * calling conventions of our platforms pass an address as they pass a 64-bit integer.
 */
final class TokenFunctions {

    private static final MethodHandle DECODE =
            handle(llama_h.llama_decode$address(), llama_h.llama_decode$descriptor());
    private static final MethodHandle ENCODE =
            handle(llama_h.llama_encode$address(), llama_h.llama_encode$descriptor());
    private static final MethodHandle LOGITS =
            handle(llama_h.llama_get_logits_ith$address(), llama_h.llama_get_logits_ith$descriptor());
    private static final MethodHandle EMBEDDINGS =
            handle(llama_h.llama_get_embeddings_ith$address(), llama_h.llama_get_embeddings_ith$descriptor());
    private static final MethodHandle EMBEDDINGS_OF_SEQUENCE =
            handle(llama_h.llama_get_embeddings_seq$address(), llama_h.llama_get_embeddings_seq$descriptor());
    private static final MethodHandle SAMPLE =
            handle(llama_h.llama_sampler_sample$address(), llama_h.llama_sampler_sample$descriptor());
    private static final MethodHandle ACCEPT =
            handle(llama_h.llama_sampler_accept$address(), llama_h.llama_sampler_accept$descriptor());
    private static final MethodHandle APPLY =
            handle(llama_h.llama_sampler_apply$address(), llama_h.llama_sampler_apply$descriptor());
    private static final MethodHandle IS_END_OF_GENERATION =
            handle(llama_h.llama_vocab_is_eog$address(), llama_h.llama_vocab_is_eog$descriptor());
    private static final MethodHandle MEMORY_REMOVE =
            handle(llama_h.llama_memory_seq_rm$address(), llama_h.llama_memory_seq_rm$descriptor());
    private static final MethodHandle MEMORY_COPY =
            handle(llama_h.llama_memory_seq_cp$address(), llama_h.llama_memory_seq_cp$descriptor());
    private static final MethodHandle MEMORY_KEEP =
            handle(llama_h.llama_memory_seq_keep$address(), llama_h.llama_memory_seq_keep$descriptor());
    private static final MethodHandle MEMORY_ADD =
            handle(llama_h.llama_memory_seq_add$address(), llama_h.llama_memory_seq_add$descriptor());
    private static final MethodHandle MEMORY_MIN_POSITION =
            handle(llama_h.llama_memory_seq_pos_min$address(), llama_h.llama_memory_seq_pos_min$descriptor());
    private static final MethodHandle MEMORY_MAX_POSITION =
            handle(llama_h.llama_memory_seq_pos_max$address(), llama_h.llama_memory_seq_pos_max$descriptor());

    private TokenFunctions() {}

    private static MethodHandle handle(MemorySegment function, FunctionDescriptor generated) {
        return Linker.nativeLinker().downcallHandle(function, numbers(generated));
    }

    /** The same function, with its addresses as numbers. */
    static FunctionDescriptor numbers(FunctionDescriptor generated) {
        MemoryLayout[] arguments = generated.argumentLayouts().stream()
                .map(TokenFunctions::addressAsNumber)
                .toArray(MemoryLayout[]::new);
        return generated.returnLayout().isPresent()
                ? FunctionDescriptor.of(addressAsNumber(generated.returnLayout().get()), arguments)
                : FunctionDescriptor.ofVoid(arguments);
    }

    private static MemoryLayout addressAsNumber(MemoryLayout layout) {
        return layout instanceof AddressLayout ? ValueLayout.JAVA_LONG : layout;
    }

    /** A downcall throws nothing by itself; what comes is an error of the JVM. */
    static AssertionError unexpected(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        return new AssertionError("thrown by a call of llama.cpp", thrown);
    }

    static int decode(long context, MemorySegment batch) {
        try {
            return (int) DECODE.invokeExact(context, batch);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static int encode(long context, MemorySegment batch) {
        try {
            return (int) ENCODE.invokeExact(context, batch);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static long logits(long context, int index) {
        try {
            return (long) LOGITS.invokeExact(context, index);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static long embeddings(long context, int index) {
        try {
            return (long) EMBEDDINGS.invokeExact(context, index);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static long embeddingsOfSequence(long context, int sequence) {
        try {
            return (long) EMBEDDINGS_OF_SEQUENCE.invokeExact(context, sequence);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static int sample(long sampler, long context, int index) {
        try {
            return (int) SAMPLE.invokeExact(sampler, context, index);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void accept(long sampler, int token) {
        try {
            ACCEPT.invokeExact(sampler, token);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void apply(long sampler, long candidates) {
        try {
            APPLY.invokeExact(sampler, candidates);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static boolean isEndOfGeneration(long vocab, int token) {
        try {
            return (boolean) IS_END_OF_GENERATION.invokeExact(vocab, token);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static boolean memoryRemove(long memory, int sequence, int from, int to) {
        try {
            return (boolean) MEMORY_REMOVE.invokeExact(memory, sequence, from, to);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void memoryCopy(long memory, int source, int target, int from, int to) {
        try {
            MEMORY_COPY.invokeExact(memory, source, target, from, to);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void memoryKeep(long memory, int sequence) {
        try {
            MEMORY_KEEP.invokeExact(memory, sequence);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static void memoryAdd(long memory, int sequence, int from, int to, int delta) {
        try {
            MEMORY_ADD.invokeExact(memory, sequence, from, to, delta);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static int memoryMinPosition(long memory, int sequence) {
        try {
            return (int) MEMORY_MIN_POSITION.invokeExact(memory, sequence);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }

    static int memoryMaxPosition(long memory, int sequence) {
        try {
            return (int) MEMORY_MAX_POSITION.invokeExact(memory, sequence);
        } catch (Throwable e) {
            throw unexpected(e);
        }
    }
}
