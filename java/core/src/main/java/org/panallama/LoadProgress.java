package org.panallama;

/** Watches a model being loaded, and can stop it. */
@FunctionalInterface
public interface LoadProgress {

    /**
     * Called on the loading thread. An exception stops the load and comes out of {@link Model#load}.
     *
     * @param fraction of the tensor data that is loaded, from 0 to 1
     * @return {@code true} to go on, {@code false} to cancel
     */
    boolean onProgress(float fraction);
}
