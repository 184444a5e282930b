package org.panallama.tools.safetensors;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/** {@code Float.floatToFloat16} of JDK 20, for tests that compile for 17 and run on 22. */
final class JdkHalf {

    private static final MethodHandle METHOD = find();

    private JdkHalf() {}

    private static MethodHandle find() {
        try {
            return MethodHandles.lookup()
                    .findStatic(Float.class, "floatToFloat16", MethodType.methodType(short.class, float.class));
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    static short of(float value) {
        try {
            return (short) METHOD.invokeExact(value);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
