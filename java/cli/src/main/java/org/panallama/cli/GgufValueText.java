package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.panallama.gguf.GgufType;
import org.panallama.gguf.GgufValue;

/** Metadata values as text and JSON. */
final class GgufValueText {

    private static final int SHOWN_CHARACTERS = 100;
    private static final int SHOWN_ELEMENTS = 8;

    private GgufValueText() {}

    /** On one line, shortened. */
    static String line(GgufValue value) {
        if (!value.isArray()) {
            String text = element(value, 0);
            return shortened(value.type() == GgufType.STRING ? Printable.quoted(text) : text);
        }
        List<String> elements = new ArrayList<>();
        for (int i = 0; i < Math.min(value.length(), SHOWN_ELEMENTS); i++) {
            String element = element(value, i);
            elements.add(value.elementType() == GgufType.STRING ? Printable.quoted(element) : element);
        }
        boolean cut = value.length() > SHOWN_ELEMENTS;
        return shortened("[" + String.join(", ", elements) + (cut ? ", …" : "") + "]")
                + (cut ? " (" + value.length() + " elements)" : "");
    }

    /** The type, with that of an array's elements: {@code u32}, {@code str[5120]}. */
    static String type(GgufValue value) {
        return value.elementType().shortName() + (value.isArray() ? "[" + value.length() + "]" : "");
    }

    /** Element by element, in full and as it is; a scalar has one. */
    static String element(GgufValue value, int i) {
        return switch (value.elementType()) {
            case STRING -> value.string(i);
            case BOOL -> String.valueOf(value.bool(i));
            case FLOAT32 -> String.valueOf((float) value.number(i));
            case FLOAT64 -> String.valueOf(value.number(i));
            case UINT64 -> Long.toUnsignedString(value.integer(i));
            default -> String.valueOf(value.integer(i));
        };
    }

    /** Type and value; of a long array, the first elements and the length. */
    static void write(JsonWriter json, GgufValue value) throws IOException {
        json.beginObject();
        json.name("type").value(value.elementType().shortName());
        if (value.isArray()) {
            json.name("length").value(value.length());
        }
        json.name("value");
        writeValue(json, value, SHOWN_ELEMENTS);
        json.endObject();
    }

    /** The bare value, an array up to some elements. */
    static void writeValue(JsonWriter json, GgufValue value, int limit) throws IOException {
        if (!value.isArray()) {
            writeElement(json, value, 0);
            return;
        }
        json.beginArray();
        for (int i = 0; i < Math.min(limit, value.length()); i++) {
            writeElement(json, value, i);
        }
        json.endArray();
    }

    private static void writeElement(JsonWriter json, GgufValue value, int i) throws IOException {
        switch (value.elementType()) {
            case STRING -> json.value(value.string(i));
            case BOOL -> json.value(value.bool(i));
            case FLOAT32, FLOAT64 -> {
                if (Double.isFinite(value.number(i))) {
                    json.jsonValue(element(value, i));
                } else {
                    json.value(element(value, i)); // JSON has neither infinity nor NaN
                }
            }
            default -> json.jsonValue(element(value, i));
        }
    }

    private static String shortened(String text) {
        int length = text.codePointCount(0, text.length());
        return length <= SHOWN_CHARACTERS
                ? text
                : text.substring(0, text.offsetByCodePoints(0, SHOWN_CHARACTERS)) + "… (" + length + " characters)";
    }
}
