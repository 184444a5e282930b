package org.panallama.tools.convert;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object of a checkpoint, with errors that name file and key. A key may have several spellings, of which the first
 * present counts; null counts as absent.
 */
final class JsonFile {

    private final Path file;
    private final JsonObject json;

    JsonFile(Path file, JsonObject json) {
        this.file = file;
        this.json = json;
    }

    static JsonFile read(Path file) {
        if (!Files.exists(file)) {
            throw new ConversionException(file + " is missing");
        }
        try (BufferedReader text = Files.newBufferedReader(file)) {
            JsonElement root = JsonParser.parseReader(text);
            if (!root.isJsonObject()) {
                throw new ConversionException(file + " is no JSON object");
            }
            return new JsonFile(file, root.getAsJsonObject());
        } catch (IOException | JsonParseException e) {
            throw new ConversionException(file + " cannot be read as JSON: " + e.getMessage(), e);
        } catch (StackOverflowError e) {
            throw new ConversionException(file + " is nested too deeply", e);
        }
    }

    /** An empty object if there is no such file. */
    static JsonFile readIfPresent(Path file) {
        return Files.exists(file) ? read(file) : new JsonFile(file, new JsonObject());
    }

    Path file() {
        return file;
    }

    JsonObject json() {
        return json;
    }

    boolean has(String key) {
        return value(key) != null;
    }

    @Nullable JsonElement value(String... keys) {
        for (String key : keys) {
            JsonElement value = json.get(key);
            if (value != null && !value.isJsonNull()) {
                return value;
            }
        }
        return null;
    }

    OptionalLong integer(String... keys) {
        OptionalDouble number = number(keys);
        if (number.isEmpty()) {
            return OptionalLong.empty();
        }
        if (number.getAsDouble() != Math.rint(number.getAsDouble())) {
            throw wrong(keys, "an integer");
        }
        return OptionalLong.of((long) number.getAsDouble());
    }

    OptionalDouble number(String... keys) {
        JsonElement value = value(keys);
        if (value == null) {
            return OptionalDouble.empty();
        }
        if (!(value instanceof JsonPrimitive primitive) || !primitive.isNumber()) {
            throw wrong(keys, "a number");
        }
        try {
            return OptionalDouble.of(primitive.getAsDouble());
        } catch (NumberFormatException e) {
            throw wrong(keys, "a number");
        }
    }

    Optional<String> string(String... keys) {
        JsonElement value = value(keys);
        return value instanceof JsonPrimitive primitive && primitive.isString()
                ? Optional.of(primitive.getAsString())
                : Optional.empty();
    }

    Optional<Boolean> bool(String... keys) {
        JsonElement value = value(keys);
        return value instanceof JsonPrimitive primitive && primitive.isBoolean()
                ? Optional.of(primitive.getAsBoolean())
                : Optional.empty();
    }

    Optional<JsonFile> object(String... keys) {
        JsonElement value = value(keys);
        return value != null && value.isJsonObject()
                ? Optional.of(new JsonFile(file, value.getAsJsonObject()))
                : Optional.empty();
    }

    /** A positive integer that must be there. */
    long size(String... keys) {
        long value = integer(keys).orElseThrow(() -> absent(keys));
        if (value < 1 || value > Integer.MAX_VALUE) {
            throw wrong(keys, "from 1 to " + Integer.MAX_VALUE);
        }
        return value;
    }

    double requireNumber(String... keys) {
        return number(keys).orElseThrow(() -> absent(keys));
    }

    private ConversionException absent(String... keys) {
        return new ConversionException(file + " has no " + String.join(" or ", keys));
    }

    private ConversionException wrong(String[] keys, String wanted) {
        return new ConversionException(
                file + ": " + Arrays.asList(keys) + " is " + value(keys) + ", must be " + wanted);
    }
}
