package org.panallama.internal;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What a user sets by a system property or, failing that, by an environment variable. */
record Setting(String property, String variable) {

    /**
     * A value, and how it was set.
     *
     * @param source for messages, for example {@code -Dpanallama.native.dir=/opt/llama}
     */
    record Value(String value, String source) {}

    /** {@code null} where neither is set; blank is not set. */
    @Nullable Value in(Function<String, @Nullable String> properties, Function<String, @Nullable String> environment) {
        String byProperty = properties.apply(property);
        if (byProperty != null && !byProperty.isBlank()) {
            return new Value(byProperty, "-D" + property + "=" + byProperty);
        }
        String byVariable = environment.apply(variable);
        if (byVariable != null && !byVariable.isBlank()) {
            return new Value(byVariable, variable + "=" + byVariable);
        }
        return null;
    }
}
