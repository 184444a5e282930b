package org.panallama.benchmarks;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Map;
import org.panallama.Llama;

/** llama.cpp in this JVM, with the binding and the kernels that a benchmark asks for. */
final class Runtime {

    private static final Map<String, String> KERNELS = Map.of("panallama", "on", "stock", "off");

    private Runtime() {}

    /**
     * Loads llama.cpp, or checks that what is loaded is what is asked for.
     *
     * @throws IllegalArgumentException for a binding or kernels that there are not
     * @throws IllegalStateException if others are in use
     */
    static void start(String binding, String kernels) {
        if (!binding.equals("ffm") && !binding.equals("jna")) {
            throw new IllegalArgumentException("binding is " + binding + ", must be ffm or jna");
        }
        if (!KERNELS.containsKey(kernels)) {
            throw new IllegalArgumentException("kernels is " + kernels + ", must be panallama or stock");
        }
        System.setProperty("panallama.binding", binding);
        setEnvironment("PANALLAMA_KERNELS", KERNELS.get(kernels));
        String variant = Llama.cpuVariant();
        if (!Llama.bindingName().equals(binding) || variant.equals("panallama") != kernels.equals("panallama")) {
            throw new IllegalStateException("asked for the binding " + binding + " and the kernels " + kernels
                    + ", but this JVM has loaded " + Llama.bindingName() + " and the CPU variant " + variant
                    + ": each combination needs a fork of its own (-f 1), and a processor for the kernels");
        }
    }

    /** For the native code of this process, which reads its environment when it is loaded. JMH gives a fork its parent's. */
    private static void setEnvironment(String name, String value) {
        MemorySegment setenv = Linker.nativeLinker()
                .defaultLookup()
                .find("setenv")
                .orElseThrow(() -> new IllegalStateException("the kernels cannot be chosen on this platform"));
        try (Arena arena = Arena.ofConfined()) {
            int status = (int) Linker.nativeLinker()
                    .downcallHandle(
                            setenv,
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.ADDRESS,
                                    ValueLayout.ADDRESS,
                                    ValueLayout.JAVA_INT))
                    .invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), 1);
            if (status != 0) {
                throw new IllegalStateException("the environment cannot be changed");
            }
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
