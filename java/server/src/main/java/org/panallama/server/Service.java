package org.panallama.server;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What endpoints work with.
 *
 * @param store the models
 * @param metrics counts
 * @param deadline the longest that a request may take, {@code null} for no limit
 */
record Service(
        ModelStore store, ServerMetrics metrics, @Nullable Duration deadline) {

    /** The model that a request names, taken into use. */
    ModelStore.Lease model(Fields fields) {
        return store.take(fields.textOrNull("model"));
    }
}
