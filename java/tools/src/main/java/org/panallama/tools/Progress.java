package org.panallama.tools;

/** Watches long work, and can stop it. */
@FunctionalInterface
public interface Progress {

    /** Watches nothing and never stops. */
    Progress NONE = fraction -> true;

    /**
     * Called now and then on the thread that does the work, at most a few hundred times. An exception stops the work and
     * comes out of the method that does it.
     *
     * @param fraction of the work that is done, from 0 to 1
     * @return {@code true} to go on; {@code false} to cancel, so that the method that does the work throws
     *     {@link java.util.concurrent.CancellationException} and leaves nothing half-written behind
     */
    boolean onProgress(double fraction);
}
