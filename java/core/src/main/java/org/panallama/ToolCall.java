package org.panallama;

import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A model's wish to have a function run.
 *
 * @param id tells the calls of a conversation apart; empty if the model gave none
 * @param name of the {@link Tool}
 * @param arguments a JSON object as text; not whole while the answer is still coming
 */
public record ToolCall(String id, String name, String arguments) {

    public ToolCall {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(arguments, "arguments");
    }

    Map<String, @Nullable Object> json() {
        return Map.of("id", id, "type", "function", "function", Map.of("name", name, "arguments", arguments));
    }
}
