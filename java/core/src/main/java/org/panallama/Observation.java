package org.panallama;

import org.jspecify.annotations.Nullable;
import org.panallama.spi.Binding;
import org.panallama.spi.EvaluationSink;

/** One context's calls of a {@link NodeObserver}: keeps exceptions out of llama.cpp, and nodes from being used later. */
final class Observation implements EvaluationSink {

    private final NodeObserver observer;
    private final Binding binding;
    private final AbortFlag abort;
    private final @Nullable String[] operationNames = new String[128];
    private long calls;
    private boolean inside;
    private boolean computed;
    private @Nullable Throwable failure;

    Observation(NodeObserver observer, Binding binding, AbortFlag abort) {
        this.observer = observer;
        this.binding = binding;
        this.abort = abort;
    }

    @Override
    public boolean evaluate(long tensor, boolean ask) {
        if (failure != null) {
            return false;
        }
        inside = true;
        computed = !ask;
        try {
            GraphNode node = new GraphNode(this, binding, tensor);
            if (ask) {
                return observer.wants(node);
            }
            observer.computed(node);
            return true;
        } catch (Throwable e) {
            failure = e;
            abort.raise();
            return false;
        } finally {
            calls++;
            inside = false;
        }
    }

    /** Changes with each call of the observer. */
    long call() {
        return inside ? calls : -1;
    }

    void requireComputed() {
        if (!computed) {
            throw new IllegalStateException("the node is not computed yet: read it in NodeObserver.computed()");
        }
    }

    String operationName(int operation) {
        @Nullable String[] names = operationNames;
        if (operation >= names.length) {
            return binding.operationName(operation);
        }
        String name = names[operation];
        if (name == null) {
            name = binding.operationName(operation);
            names[operation] = name;
        }
        return name;
    }

    /** Before a computation: refuses one that the observer itself asks for. */
    void begin() {
        if (inside) {
            throw new IllegalStateException("a NodeObserver must not use the context that it observes");
        }
        failure = null;
    }

    /** After a computation: throws what the observer threw. */
    void end() {
        Throwable thrown = failure;
        failure = null;
        if (thrown instanceof RuntimeException e) {
            throw e;
        }
        if (thrown instanceof Error e) {
            throw e;
        }
    }
}
