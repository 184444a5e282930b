package org.panallama.spi;

import org.jspecify.annotations.Nullable;

/** Found by {@link java.util.ServiceLoader}; opens a {@link Binding} in a JVM that can run it. */
public interface BindingProvider {

    /** The name that {@code -Dpanallama.binding} takes, for example {@code ffm}. */
    String name();

    /** The provider with the highest priority among the usable ones is taken. */
    int priority();

    /** Why this JVM cannot run the binding, or {@code null} if it can. Must not load native code. */
    @Nullable String unavailabilityCause();

    /**
     * Loads the libraries and resolves every function that is called.
     *
     * @throws UnsatisfiedLinkError if a library does not load or a function is missing; the message says which and why
     */
    Binding open(NativeLibraries libraries);
}
