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
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * A JSON object of a checkpoint, with errors that name file and key. A key may have several spellings, of which the first
 * present counts; null counts as absent.
 */
final class JsonFile {

    /** Ten times the largest tokenizer's. A tree of objects takes several times the text's size. */
    private static final long MAX_BYTES = 1L << 28;

    private static final double MAX_INTEGER = 1L << 53;

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
            if (Files.size(file) > MAX_BYTES) {
                throw new ConversionException(file + " has " + Files.size(file) + " bytes, more than the "
                        + (MAX_BYTES >> 20) + " MiB that a checkpoint's JSON may have");
            }
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
        if (number.getAsDouble() != Math.rint(number.getAsDouble()) || Math.abs(number.getAsDouble()) > MAX_INTEGER) {
            throw wrong(keys, "an integer of at most 53 bits");
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

    /** A positive integer, if it is there. */
    OptionalLong sizeIfPresent(String... keys) {
        return integer(keys).isPresent() ? OptionalLong.of(size(keys)) : OptionalLong.empty();
    }

    /** A positive integer that must be there. */
    long size(String... keys) {
        long value = integer(keys).orElseThrow(() -> absent(keys));
        if (value < 1 || value > Integer.MAX_VALUE) {
            throw wrong(keys, "from 1 to " + Integer.MAX_VALUE);
        }
        return value;
    }

    /** The id of a token. Some files state a negative one for none. */
    OptionalInt tokenId(String... keys) {
        OptionalLong id = integer(keys);
        if (id.isEmpty()) {
            return OptionalInt.empty();
        }
        if (id.getAsLong() != (int) id.getAsLong()) {
            throw wrong(keys, "a token's id");
        }
        return OptionalInt.of((int) id.getAsLong());
    }

    /** The id of a token that is an element of a list. */
    int tokenId(JsonElement element, String list) {
        return alone(element, list).tokenId(list).orElseThrow(() -> absent(list));
    }

    /** A number that is an element of a list. */
    double number(JsonElement element, String list) {
        return alone(element, list).requireNumber(list);
    }

    private JsonFile alone(JsonElement element, String key) {
        JsonObject single = new JsonObject();
        single.add(key, element);
        return new JsonFile(file, single);
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
