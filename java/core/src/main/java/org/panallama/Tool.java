package org.panallama;

import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A function that a model may ask its caller to run.
 *
 * @param name letters, digits, {@code _}, {@code -} and {@code .}, 64 at most
 * @param description tells the model what it is for; may be empty
 * @param parameters of the object of arguments
 */
public record Tool(String name, String description, JsonSchema parameters) {

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{1,64}");

    /**
     * @throws IllegalArgumentException if the name has other characters, or too many
     */
    public Tool {
        Objects.requireNonNull(description, "description");
        Objects.requireNonNull(parameters, "parameters");
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException(
                    "a tool's name is '" + name + "', must be 1 to 64 letters, digits, '_', '-' or '.'");
        }
    }

    Map<String, @Nullable Object> json() {
        return Map.of(
                "type",
                "function",
                "function",
                Map.of("name", name, "description", description, "parameters", parameters.schema()));
    }
}
