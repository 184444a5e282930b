package org.panallama.tools.internal;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.panallama.LlamaException;
import org.panallama.gguf.internal.WholeFile;

/**
 * A JSON object of a file, with errors that name file and key. A key may have several spellings, of which the first present
 * counts; null counts as absent.
 */
public final class JsonFile {

    private static final double MAX_INTEGER = 1L << 53;

    /** Makes the exception of those whose file it is. */
    @FunctionalInterface
    public interface Refusal {
        /** Returns the exception. */
        LlamaException of(String problem, @Nullable Throwable cause);
    }

    private final Path file;
    private final JsonObject json;
    private final Refusal refusal;

    private JsonFile(Path file, JsonObject json, Refusal refusal) {
        this.file = file;
        this.json = json;
        this.refusal = refusal;
    }

    /** Reads a file, or makes the exception. */
    public static JsonFile read(Path file, Refusal refusal) {
        try {
            JsonElement root = JsonParser.parseString(WholeFile.text(file));
            if (!root.isJsonObject()) {
                throw refusal.of(file + " is no JSON object", null);
            }
            return new JsonFile(file, root.getAsJsonObject(), refusal);
        } catch (NoSuchFileException e) {
            throw refusal.of(file + " is missing", e);
        } catch (IOException | JsonParseException e) {
            throw refusal.of(file + " cannot be read as JSON: " + e.getMessage(), e);
        }
    }

    /** An empty object if there is no such file. */
    public static JsonFile readIfPresent(Path file, Refusal refusal) {
        return Files.exists(file) ? read(file, refusal) : new JsonFile(file, new JsonObject(), refusal);
    }

    /** Another object, which is in the same file. */
    public JsonFile within(JsonObject object) {
        return new JsonFile(file, object, refusal);
    }

    public Path file() {
        return file;
    }

    public JsonObject json() {
        return json;
    }

    public boolean has(String key) {
        return value(key) != null;
    }

    public @Nullable JsonElement value(String... keys) {
        for (String key : keys) {
            JsonElement value = json.get(key);
            if (value != null && !value.isJsonNull()) {
                return value;
            }
        }
        return null;
    }

    public OptionalLong integer(String... keys) {
        OptionalDouble number = number(keys);
        if (number.isEmpty()) {
            return OptionalLong.empty();
        }
        if (number.getAsDouble() != Math.rint(number.getAsDouble()) || Math.abs(number.getAsDouble()) > MAX_INTEGER) {
            throw wrong(keys, "an integer of at most 53 bits");
        }
        return OptionalLong.of((long) number.getAsDouble());
    }

    public OptionalDouble number(String... keys) {
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

    public Optional<String> string(String... keys) {
        JsonElement value = value(keys);
        return value instanceof JsonPrimitive primitive && primitive.isString()
                ? Optional.of(primitive.getAsString())
                : Optional.empty();
    }

    public Optional<Boolean> bool(String... keys) {
        JsonElement value = value(keys);
        return value instanceof JsonPrimitive primitive && primitive.isBoolean()
                ? Optional.of(primitive.getAsBoolean())
                : Optional.empty();
    }

    public Optional<JsonFile> object(String... keys) {
        JsonElement value = value(keys);
        return value != null && value.isJsonObject() ? Optional.of(within(value.getAsJsonObject())) : Optional.empty();
    }

    /** A positive integer, if it is there. */
    public OptionalLong sizeIfPresent(String... keys) {
        return integer(keys).isPresent() ? OptionalLong.of(size(keys)) : OptionalLong.empty();
    }

    /** A positive integer that must be there. */
    public long size(String... keys) {
        long value = integer(keys).orElseThrow(() -> absent(keys));
        if (value < 1 || value > Integer.MAX_VALUE) {
            throw wrong(keys, "from 1 to " + Integer.MAX_VALUE);
        }
        return value;
    }

    /** The id of a token. Some files state a negative one for none. */
    public OptionalInt tokenId(String... keys) {
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
    public int tokenId(JsonElement element, String list) {
        return alone(element, list).tokenId(list).orElseThrow(() -> absent(list));
    }

    /** A number that is an element of a list. */
    public double number(JsonElement element, String list) {
        return alone(element, list).requireNumber(list);
    }

    private JsonFile alone(JsonElement element, String key) {
        JsonObject single = new JsonObject();
        single.add(key, element);
        return within(single);
    }

    public double requireNumber(String... keys) {
        return number(keys).orElseThrow(() -> absent(keys));
    }

    private LlamaException absent(String... keys) {
        return refusal.of(file + " has no " + String.join(" or ", keys), null);
    }

    private LlamaException wrong(String[] keys, String wanted) {
        return refusal.of(file + ": " + Arrays.asList(keys) + " is " + value(keys) + ", must be " + wanted, null);
    }
}
