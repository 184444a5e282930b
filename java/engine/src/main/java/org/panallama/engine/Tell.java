package org.panallama.engine;

import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.RejectedExecutionException;

/** Runs others' code where it cannot hold up or fail the engine. */
final class Tell {

    private Tell() {}

    /** On the common pool if the executor refuses, as one that was shut down does: nobody shall wait in vain. */
    static void on(Executor executor, Runnable news) {
        try {
            executor.execute(news);
        } catch (RejectedExecutionException e) {
            ForkJoinPool.commonPool().execute(news);
        }
    }
}
