package org.panallama.benchmarks;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.panallama.internal.NativeRuntime;
import org.panallama.spi.Binding;

/**
 * What a call costs when nothing is done in it: {@code llama_sampler_chain_get(chain, 0)}, which takes a handle and an int,
 * gives a handle, and reads an array, from C, from a method handle, and through the bindings.
 *
 * <p>The loop in C is POSIX's {@code lfind(key, base, count, width, compare)}: it calls {@code compare(key, element)} until
 * that returns 0. With the function as {@code compare}, the chain as {@code key}, and elements at address 0 of width 0, that is as
 * many calls {@code llama_sampler_chain_get(chain, 0)} as it is told to make, whose answers are never 0.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class CallOverheadBenchmark {

    private static final int CALLS = 1000;
    private static final String FUNCTION = "llama_sampler_chain_get";

    /** A chain of one sampler, for a binding. */
    @State(Scope.Benchmark)
    public static class Chain {

        /** As {@link LoadedModel#binding}. */
        @Param("ffm")
        public String binding = "ffm";

        private Binding calls;
        private long chain;

        @Setup(Level.Trial)
        public void make() {
            Runtime.start(binding, "panallama");
            calls = NativeRuntime.get().binding();
            chain = calls.chainNew(true);
            calls.chainAdd(chain, calls.samplerGreedy());
        }

        @TearDown(Level.Trial)
        public void free() {
            calls.samplerFree(chain);
        }
    }

    /** The function and a loop over it. Method handles are folded into the code that calls them if they are constants. */
    private static final class Native {

        private static final MemorySegment CHAIN_GET_ADDRESS = find();
        private static final MethodHandle CHAIN_GET = Linker.nativeLinker()
                .downcallHandle(
                        CHAIN_GET_ADDRESS,
                        FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
        private static final MethodHandle LFIND = Linker.nativeLinker()
                .downcallHandle(
                        Linker.nativeLinker()
                                .defaultLookup()
                                .find("lfind")
                                .orElseThrow(() -> new IllegalStateException("the C library has no lfind")),
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.ADDRESS,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.ADDRESS));
        private static final MemorySegment COUNT = Arena.global().allocateFrom(ValueLayout.JAVA_LONG, CALLS);

        private static MemorySegment find() {
            for (Path library : NativeRuntime.get().libraries().loadOrder()) {
                var found = SymbolLookup.libraryLookup(library, Arena.global()).find(FUNCTION);
                if (found.isPresent()) {
                    return found.get();
                }
            }
            throw new IllegalStateException("no library has " + FUNCTION);
        }
    }

    /** From C. */
    @Benchmark
    @OperationsPerInvocation(CALLS)
    public long c(Chain chain) throws Throwable {
        long found = (long) Native.LFIND.invokeExact(chain.chain, 0L, Native.COUNT, 0L, Native.CHAIN_GET_ADDRESS);
        if (found != 0) {
            throw new IllegalStateException("the loop ended early");
        }
        return found;
    }

    /** Through a method handle of the JDK's linker, and nothing else. */
    @Benchmark
    public long methodHandle(Chain chain) throws Throwable {
        return (long) Native.CHAIN_GET.invokeExact(chain.chain, 0);
    }

    /** Through the binding. */
    @Benchmark
    public long binding(Chain chain) {
        return chain.calls.chainGet(chain.chain, 0);
    }
}
