package org.panallama.spi;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What llama.cpp's calls into Java have in common: no exception may leave one, since it would end the JVM or be lost. */
public final class Upcalls {

    private static final Logger LOG = LoggerFactory.getLogger(Upcalls.class);

    private Upcalls() {}

    /** Reports what a callback threw. Never throws itself, not even where logging is what failed. */
    public static void report(String callback, Throwable thrown) {
        try {
            LOG.error("The {} threw an exception, which cannot pass through llama.cpp", callback, thrown);
        } catch (Throwable unreportable) {
            thrown.addSuppressed(unreportable);
        }
    }
}
