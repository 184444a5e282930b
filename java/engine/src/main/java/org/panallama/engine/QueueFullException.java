package org.panallama.engine;

import java.util.concurrent.RejectedExecutionException;

/** As many requests are waiting as the engine was told to let wait. Try again later. */
public final class QueueFullException extends RejectedExecutionException {

    private static final long serialVersionUID = 1L;

    QueueFullException(int waiting) {
        super(waiting + " requests are waiting already, which is as many as Engine.Builder.queue() allows");
    }
}
