package org.panallama;

/**
 * Watches a context compute, node by node of its graph; set with {@link ContextOptions.Builder#observer}. What reads
 * activations is made of this: importance matrices, probes.
 *
 * <p>Both methods are called on the thread that is in {@link Context#decode(Batch)}, whatever computes. They must not use the
 * context. An exception stops the computation and comes out of {@code decode}.
 */
public interface NodeObserver {

    /**
     * Whether a node that is about to be computed is wanted. Asked for each of the thousands, so answer fast. Every node that
     * is wanted interrupts the computation, and keeps it from being fused with its neighbours.
     *
     * @param node whose shape and sources can be asked for, but not its numbers; valid during the call
     */
    boolean wants(GraphNode node);

    /**
     * A wanted node was computed.
     *
     * @param node whose numbers and whose sources' numbers can be read; valid during the call
     */
    void computed(GraphNode node);
}
