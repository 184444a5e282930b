package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.panallama.internal.GgufType;
import org.panallama.internal.GgufValue;

/** Values of a GGUF file's metadata as text and JSON. */
final class MetadataText {

    private static final int SHOWN_CHARACTERS = 100;
    private static final int SHOWN_ELEMENTS = 8;
    private static final int JSON_ELEMENTS = 256;

    private MetadataText() {}

    /** A scalar in full, as llama.cpp prints it. */
    static String scalar(GgufValue value) {
        return element(value, 0);
    }

    /** On one line, shortened. */
    static String line(GgufValue value) {
        if (!value.isArray()) {
            return shortened(Printable.escaped(element(value, 0)));
        }
        List<String> elements = new ArrayList<>();
        for (int i = 0; i < Math.min(value.length(), SHOWN_ELEMENTS); i++) {
            String element = element(value, i);
            elements.add(value.type() == GgufType.STRING ? Printable.quoted(element) : element);
        }
        boolean cut = value.length() > SHOWN_ELEMENTS;
        return shortened("[" + String.join(", ", elements) + (cut ? ", …" : "") + "]")
                + (cut ? " (" + value.length() + " elements)" : "");
    }

    /** A JSON value; a long array, as a vocabulary is, as its type and length. */
    static void write(JsonWriter json, GgufValue value) throws IOException {
        if (!value.isArray()) {
            writeElement(json, value, 0);
        } else if (value.length() > JSON_ELEMENTS) {
            json.beginObject();
            json.name("array_of").value(value.type().toString());
            json.name("length").value(value.length());
            json.endObject();
        } else {
            json.beginArray();
            for (int i = 0; i < value.length(); i++) {
                writeElement(json, value, i);
            }
            json.endArray();
        }
    }

    private static void writeElement(JsonWriter json, GgufValue value, int i) throws IOException {
        switch (value.type()) {
            case STRING -> json.value(value.string(i));
            case BOOL -> json.value(value.integer(i) != 0);
            case FLOAT32, FLOAT64 -> {
                double number = value.number(i);
                if (Double.isFinite(number)) {
                    json.jsonValue(element(value, i));
                } else {
                    json.value(String.valueOf(number)); // JSON has neither infinity nor NaN
                }
            }
            default -> json.jsonValue(element(value, i));
        }
    }

    private static String element(GgufValue value, int i) {
        return switch (value.type()) {
            case STRING -> value.string(i);
            case BOOL -> String.valueOf(value.integer(i) != 0);
            case FLOAT32 -> String.valueOf((float) value.number(i));
            case FLOAT64 -> String.valueOf(value.number(i));
            case UINT64 -> Long.toUnsignedString(value.integer(i));
            default -> String.valueOf(value.integer(i));
        };
    }

    private static String shortened(String text) {
        int length = text.codePointCount(0, text.length());
        return length <= SHOWN_CHARACTERS
                ? text
                : text.substring(0, text.offsetByCodePoints(0, SHOWN_CHARACTERS)) + "… (" + length + " characters)";
    }
}
