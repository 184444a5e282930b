package org.panallama.spi;

/** Receives the progress of a model load on the loading thread; must not throw. */
@FunctionalInterface
public interface ProgressSink {

    /**
     * @param progress from 0 to 1
     * @return whether to go on
     */
    boolean progress(float progress);
}
