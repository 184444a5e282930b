package org.panallama.ffm;

import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;
import org.panallama.spi.Binding;
import org.panallama.spi.BindingProvider;
import org.panallama.spi.NativeLibraries;

/** The binding {@code ffm}: the one to take wherever the JVM is 22 or newer. */
public final class FfmBindingProvider implements BindingProvider {

    /** For {@link java.util.ServiceLoader}. */
    public FfmBindingProvider() {}

    @Override
    public String name() {
        return "ffm";
    }

    @Override
    public int priority() {
        return 100;
    }

    @Override
    public @Nullable String unavailabilityCause() {
        if (ValueLayout.ADDRESS.byteSize() != Long.BYTES) {
            return "llama.cpp's runtime needs a 64-bit JVM";
        }
        try {
            Linker.nativeLinker();
            return null;
        } catch (UnsupportedOperationException e) {
            return "this JVM has no native linker for " + System.getProperty("os.name") + " "
                    + System.getProperty("os.arch");
        }
    }

    @Override
    public Binding open(NativeLibraries libraries) {
        LlamaLibraries.load(libraries);
        return new FfmBinding();
    }
}
