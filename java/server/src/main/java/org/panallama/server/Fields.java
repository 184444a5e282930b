package org.panallama.server;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The fields of a JSON object, read by type. A field that is {@code null} counts as missing. */
final class Fields {

    private final JsonObject object;
    private final String place;

    private Fields(JsonObject object, String place) {
        this.object = object;
        this.place = place;
    }

    /**
     * @param place path of the object within the request, empty for the request itself
     * @throws ApiException if it is not an object
     */
    static Fields of(JsonElement json, String place) {
        if (!json.isJsonObject()) {
            throw place.isEmpty()
                    ? ApiException.badRequest("The request's body is not a JSON object.", "invalid_json")
                    : wrongType(place, "an object");
        }
        return new Fields(json.getAsJsonObject(), place);
    }

    /** A field's path within the request, as errors name it. */
    String path(String name) {
        return place.isEmpty() ? name : place + "." + name;
    }

    JsonObject json() {
        return object;
    }

    boolean has(String name) {
        return get(name) != null;
    }

    @Nullable JsonElement get(String name) {
        JsonElement value = object.get(name);
        return value == null || value.isJsonNull() ? null : value;
    }

    JsonElement require(String name) {
        JsonElement value = get(name);
        if (value == null) {
            throw new ApiException(
                    400,
                    "invalid_request_error",
                    "'" + path(name) + "' is missing.",
                    path(name),
                    "missing_required_parameter");
        }
        return value;
    }

    String text(String name) {
        return text(require(name), path(name));
    }

    String text(String name, String fallback) {
        return has(name) ? text(name) : fallback;
    }

    @Nullable String textOrNull(String name) {
        return has(name) ? text(name) : null;
    }

    /** One of a few words. */
    String word(String name, String fallback, Collection<String> words) {
        String word = text(name, fallback);
        if (!words.contains(word)) {
            throw ApiException.badField(
                    path(name), "'" + path(name) + "' is '" + word + "', must be one of " + String.join(", ", words));
        }
        return word;
    }

    boolean flag(String name, boolean fallback) {
        JsonElement value = get(name);
        if (value == null) {
            return fallback;
        }
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isBoolean()) {
            throw wrongType(path(name), "true or false");
        }
        return value.getAsBoolean();
    }

    int integer(String name, int fallback, int least, int most) {
        return (int) whole(name, fallback, least, most);
    }

    long whole(String name, long fallback, long least, long most) {
        JsonElement value = get(name);
        return value == null ? fallback : whole(value, path(name), least, most);
    }

    static long whole(JsonElement value, String path, long least, long most) {
        double number = number(value, path);
        if (number != Math.rint(number)) {
            throw wrongType(path, "an integer");
        }
        if (!(number >= least && number <= most)) {
            throw outOfRange(path, value, least, most);
        }
        // A double does not have every long; the text does.
        try {
            return Long.parseLong(value.getAsString());
        } catch (NumberFormatException e) {
            return (long) number;
        }
    }

    float number(String name, double fallback, double least, double most) {
        JsonElement value = get(name);
        return value == null ? (float) fallback : number(value, path(name), least, most);
    }

    static float number(JsonElement value, String path, double least, double most) {
        double number = number(value, path);
        if (!(number >= least && number <= most)) {
            throw outOfRange(path, value, least, most);
        }
        return (float) number;
    }

    private static double number(JsonElement value, String path) {
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isNumber()) {
            throw wrongType(path, "a number");
        }
        return Double.parseDouble(value.getAsString());
    }

    @Nullable Fields child(String name) {
        JsonElement value = get(name);
        return value == null ? null : of(value, path(name));
    }

    /** The elements of a list; none if there is no such field. */
    List<JsonElement> list(String name, int most) {
        JsonElement value = get(name);
        return value == null ? List.of() : list(value, path(name), most);
    }

    static List<JsonElement> list(JsonElement value, String path, int most) {
        if (!value.isJsonArray()) {
            throw wrongType(path, "an array");
        }
        JsonArray array = value.getAsJsonArray();
        if (array.size() > most) {
            throw ApiException.badField(path, "'" + path + "' has " + array.size() + " elements, at most " + most);
        }
        return array.asList();
    }

    /** Objects of a list, each with its place in the request. */
    List<Fields> children(String name, int most) {
        List<Fields> children = new ArrayList<>();
        for (JsonElement element : list(name, most)) {
            children.add(of(element, path(name) + "[" + children.size() + "]"));
        }
        return children;
    }

    static String text(JsonElement value, String path) {
        if (!value.isJsonPrimitive() || !value.getAsJsonPrimitive().isString()) {
            throw wrongType(path, "a string");
        }
        return value.getAsString();
    }

    /** Refuses a known field that asks for something that is not done; {@code false}, empty and missing ask for nothing. */
    void refuse(String name, String reason) {
        JsonElement value = get(name);
        boolean nothing = value == null
                || value.isJsonPrimitive() && value.getAsJsonPrimitive().isBoolean() && !value.getAsBoolean()
                || value.isJsonArray() && value.getAsJsonArray().isEmpty();
        if (!nothing) {
            throw ApiException.unsupported(path(name), reason);
        }
    }

    /** Makes something of a field; what is wrong with it is the field's error. */
    <T> T check(String name, Supplier<T> made) {
        try {
            return made.get();
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw ApiException.badField(path(name), "'" + path(name) + "': " + e.getMessage());
        }
    }

    static ApiException wrongType(String path, String wanted) {
        return new ApiException(
                400, "invalid_request_error", "'" + path + "' must be " + wanted + ".", path, "invalid_type");
    }

    private static ApiException outOfRange(String path, JsonElement value, Object least, Object most) {
        String shown = value.getAsString();
        return ApiException.badField(
                path,
                "'" + path + "' is " + (shown.length() > 40 ? shown.substring(0, 40) + "..." : shown) + ", must be "
                        + least + " to " + most + ".");
    }
}
