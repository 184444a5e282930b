package org.panallama.tools;

import org.panallama.internal.NativeRuntime;

/**
 * The process that measures how many multiply-adds of bytes some threads can do a second, by the instruction that Panallama's
 * kernels use here: its CPU variant measures that when it is loaded with {@link #THREADS_VARIABLE}. Prints NaN where the variant
 * does not run.
 */
final class MultiplyPeak {

    static final String THREADS_VARIABLE = "PANALLAMA_MEASURE_PEAK";

    private MultiplyPeak() {}

    public static void main(String[] args) {
        System.out.println("peak " + NativeRuntime.get().log().multiplyAdds());
    }
}
