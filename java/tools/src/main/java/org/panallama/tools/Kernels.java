package org.panallama.tools;

import java.util.Locale;

/** Whose CPU kernels compute a model. */
public enum Kernels {
    /** llama.cpp's own, with the weights repacked where it does so. */
    STOCK,
    /** The variant of Panallama that lies beside llama.cpp's libraries. */
    PANALLAMA;

    /** Returns the name in lower case. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
