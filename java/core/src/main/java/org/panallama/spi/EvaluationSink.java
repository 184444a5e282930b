package org.panallama.spi;

/** {@code ggml_backend_sched_eval_callback}; called on the thread that decodes, must not throw. */
@FunctionalInterface
public interface EvaluationSink {

    /**
     * First asks whether a node is of interest, then hands over the ones that are, right after they were computed.
     *
     * @param tensor the node, for {@link TensorCalls}; valid until this returns
     * @param ask whether the node is yet to be computed
     * @return if asked, whether the node is wanted; each that is costs a synchronization. Otherwise whether to go on
     */
    boolean evaluate(long tensor, boolean ask);
}
