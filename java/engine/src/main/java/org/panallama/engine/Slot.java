package org.panallama.engine;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.panallama.LoraAdapter;
import org.panallama.internal.TokenHistory;

/** A sequence of the context: what it remembers, and the request that it works on. */
final class Slot {

    final int sequence;
    final TokenHistory cached = new TokenHistory();
    Map<LoraAdapter, Float> lora = Map.of(); // that what it remembers was computed with

    @Nullable Task task;

    long usedAt; // the step that it took part in last, or got its task at

    // Within a step: where its tokens lie in the batch.
    int first;
    int added;
    int[] drafts = {};

    Slot(int sequence) {
        this.sequence = sequence;
    }

    boolean isIdle() {
        return task == null;
    }

    /** Whether less is lost when this one forgets: because it remembers nothing, or was used longer ago. */
    boolean lostBefore(Slot other) {
        boolean empty = cached.size() == 0;
        boolean otherEmpty = other.cached.size() == 0;
        return empty == otherEmpty ? usedAt < other.usedAt : empty;
    }

    /** Tokens known but not computed yet; one while an answer is generated, more while its prompt is computed. */
    int pending() {
        return task == null ? 0 : task.tokens.size() - cached.size();
    }
}
