package org.panallama.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.panallama.gguf.GgufType;
import org.panallama.gguf.GgufValue;

/**
 * {@code KEY=VALUE} or {@code KEY:TYPE=VALUE} of the command line. Without a type, a key keeps the one it has; a new
 * key gets the one that its value looks like. An array's value is a JSON array.
 */
final class GgufAssignment {

    private final String key;
    private final @Nullable GgufType type;
    private final String text;

    private GgufAssignment(String key, @Nullable GgufType type, String text) {
        this.key = key;
        this.type = type;
        this.text = text;
    }

    static GgufAssignment parse(String argument) {
        int equals = argument.indexOf('=');
        if (equals < 1) {
            throw new IllegalArgumentException("'" + argument + "' is not KEY=VALUE or KEY:TYPE=VALUE");
        }
        String key = argument.substring(0, equals);
        String text = argument.substring(equals + 1);
        int colon = key.lastIndexOf(':');
        if (colon < 0) {
            return new GgufAssignment(key, null, text);
        }
        String name = key.substring(colon + 1);
        GgufType type = typeOf(name)
                .orElseThrow(() -> new IllegalArgumentException("'" + name
                        + "' is no type of metadata; those are u8 i8 u16 i16 u32 i32 u64 i64 f32 f64 bool str"));
        return new GgufAssignment(key.substring(0, colon), type, text);
    }

    private static Optional<GgufType> typeOf(String name) {
        return Arrays.stream(GgufType.values())
                .filter(type -> type != GgufType.ARRAY && type.shortName().equals(name))
                .findFirst();
    }

    String key() {
        return key;
    }

    /** The value, given what the file has. */
    GgufValue value(Map<String, GgufValue> metadata) {
        GgufValue present = metadata.get(key);
        GgufType wanted = type != null ? type : present != null ? present.elementType() : null;
        boolean array = type == null && present != null ? present.isArray() : text.startsWith("[") && wanted != null;
        // A text may well begin with a bracket.
        if (wanted == GgufType.STRING && type == null && present != null && !present.isArray()) {
            return GgufValue.string(text);
        }
        return array ? array(wanted == null ? GgufType.STRING : wanted) : scalar(wanted == null ? guess() : wanted);
    }

    private GgufType guess() {
        if (text.equals("true") || text.equals("false")) {
            return GgufType.BOOL;
        }
        if (text.matches("\\d{1,10}") && Long.parseLong(text) <= 0xFFFF_FFFFL) {
            return GgufType.UINT32;
        }
        if (text.matches("-\\d{1,9}")) {
            return GgufType.INT32;
        }
        return text.matches("-?\\d+\\.\\d+([eE][-+]?\\d+)?|-?\\d+[eE][-+]?\\d+") ? GgufType.FLOAT32 : GgufType.STRING;
    }

    private GgufValue scalar(GgufType wanted) {
        return switch (wanted) {
            case STRING -> GgufValue.string(text);
            case BOOL -> GgufValue.bool(bool(text));
            case FLOAT32 -> GgufValue.float32((float) number(text));
            case FLOAT64 -> GgufValue.float64(number(text));
            default -> GgufValue.integer(wanted, integer(wanted, text));
        };
    }

    private GgufValue array(GgufType wanted) {
        JsonArray elements;
        try {
            elements = JsonParser.parseString(text).getAsJsonArray();
        } catch (JsonParseException | IllegalStateException e) {
            throw new IllegalArgumentException(
                    "the value of '" + key + "' is to be an array, such as [1, 2, 3] or [\"a\", \"b\"], not '" + text
                            + "'",
                    e);
        }
        String[] texts = new String[elements.size()];
        for (int i = 0; i < texts.length; i++) {
            JsonElement element = elements.get(i);
            if (!element.isJsonPrimitive()) {
                throw new IllegalArgumentException("element " + i + " of '" + key + "' is " + element
                        + ", must be a text, a number or a truth value");
            }
            texts[i] = element.getAsString();
        }
        return switch (wanted) {
            case STRING -> GgufValue.strings(Arrays.asList(texts));
            case BOOL -> {
                boolean[] values = new boolean[texts.length];
                for (int i = 0; i < values.length; i++) {
                    values[i] = bool(texts[i]);
                }
                yield GgufValue.bools(values);
            }
            case FLOAT32 -> {
                float[] values = new float[texts.length];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) number(texts[i]);
                }
                yield GgufValue.float32s(values);
            }
            case FLOAT64 ->
                GgufValue.float64s(
                        Arrays.stream(texts).mapToDouble(this::number).toArray());
            default ->
                GgufValue.integers(
                        wanted,
                        Arrays.stream(texts)
                                .mapToLong(one -> integer(wanted, one))
                                .toArray());
        };
    }

    private boolean bool(String one) {
        if (!one.equals("true") && !one.equals("false")) {
            throw new IllegalArgumentException("the value of '" + key + "' is '" + one + "', must be true or false");
        }
        return one.equals("true");
    }

    private double number(String one) {
        try {
            return Double.parseDouble(one);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("the value of '" + key + "' is '" + one + "', must be a number", e);
        }
    }

    private long integer(GgufType wanted, String one) {
        try {
            return wanted == GgufType.UINT64 ? Long.parseUnsignedLong(one) : Long.parseLong(one);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "the value of '" + key + "' is '" + one + "', must be an integer of type " + wanted, e);
        }
    }
}
