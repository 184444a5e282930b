package org.panallama.jna;

import org.jspecify.annotations.Nullable;
import org.panallama.spi.Binding;
import org.panallama.spi.BindingProvider;
import org.panallama.spi.NativeLibraries;

/** The binding {@code jna}: for JDKs that cannot run the binding {@code ffm}. */
public final class JnaBindingProvider implements BindingProvider {

    /** For {@link java.util.ServiceLoader}. */
    public JnaBindingProvider() {}

    @Override
    public String name() {
        return "jna";
    }

    @Override
    public int priority() {
        return 50;
    }

    /** This class names none of JNA's types: it has to load, and to say so, where JNA is missing. */
    @Override
    public @Nullable String unavailabilityCause() {
        try {
            Class.forName("com.sun.jna.Structure$FieldOrder", false, JnaBindingProvider.class.getClassLoader());
            return null;
        } catch (ClassNotFoundException e) {
            return "JNA 5 is not on the class path: add the dependency net.java.dev.jna:jna";
        }
    }

    @Override
    public Binding open(NativeLibraries libraries) {
        JnaLibrary.load();
        LlamaLibraries.load(libraries);
        return new JnaBinding();
    }
}
