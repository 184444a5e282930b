package org.panallama.tools.imatrix;

import java.util.Locale;

/** What an expert's columns weigh if the text never reached that expert. */
public enum UnseenExperts {
    /** All the same, as llama.cpp has it. */
    FLAT,
    /** What they weigh on average for the other experts of the same tensor. */
    MEAN,
    /** Nothing: such a matrix is not used. */
    REFUSE;

    /** Returns the name in lower case. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
