package org.panallama.server;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** JSON in and out. */
final class Json {

    private static final Gson WRITER =
            new GsonBuilder().serializeNulls().disableHtmlEscaping().create();
    private static final int MAX_DEPTH = 100;

    private Json() {}

    /**
     * @throws ApiException if the bytes are not UTF-8, or not one JSON value
     */
    static JsonElement parse(byte[] utf8) {
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(utf8))
                    .toString();
        } catch (CharacterCodingException e) {
            throw ApiException.badRequest("The request's body is not UTF-8.", "invalid_json");
        }
        JsonReader reader = new JsonReader(new StringReader(text));
        reader.setStrictness(Strictness.STRICT);
        reader.setNestingLimit(MAX_DEPTH);
        try {
            JsonElement value = JsonParser.parseReader(reader);
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw ApiException.badRequest("The request's body goes on after its JSON.", "invalid_json");
            }
            return value;
        } catch (JsonParseException | IOException | IllegalStateException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            String why = String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
            throw ApiException.badRequest("The request's body is not JSON: " + why, "invalid_json");
        }
    }

    /** An object of keys and values by turns: JSON, text, numbers, truth values, {@code null}. */
    static JsonObject object(@Nullable Object... keysAndValues) {
        JsonObject object = new JsonObject();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            object.add((String) keysAndValues[i], value(keysAndValues[i + 1]));
        }
        return object;
    }

    static JsonArray array(Iterable<?> values) {
        JsonArray array = new JsonArray();
        for (Object value : values) {
            array.add(value(value));
        }
        return array;
    }

    private static JsonElement value(@Nullable Object value) {
        if (value == null) {
            return JsonNull.INSTANCE;
        }
        if (value instanceof JsonElement element) {
            return element;
        }
        if (value instanceof Boolean truth) {
            return new JsonPrimitive(truth);
        }
        if (value instanceof Number number) {
            double real = number.doubleValue();
            // JSON has no infinity; that of a forbidden token's log-probability comes as a number as low as any.
            return new JsonPrimitive(
                    Double.isNaN(real) ? 0 : Double.isInfinite(real) ? Math.copySign(9999, real) : number);
        }
        if (value instanceof Iterable<?> values) {
            return array(values);
        }
        return new JsonPrimitive(value.toString());
    }

    static String text(JsonElement json) {
        return WRITER.toJson(json);
    }

    static byte[] bytes(JsonElement json) {
        return text(json).getBytes(StandardCharsets.UTF_8);
    }
}
