package org.panallama.internal;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON as objects: {@link Map} in the order of the text, {@link List}, {@link String}, {@link Boolean}, {@code null}, and
 * {@link BigDecimal} for numbers, which keeps every digit. Core depends on no JSON library, and needs no more than this.
 */
public final class Json {

    /** What is parsed and written by recursion; deeper JSON is refused. */
    private static final int MAX_DEPTH = 500;

    private final String text;
    private int at;
    private int depth;

    private Json(String text) {
        this.text = text;
    }

    /**
     * @throws IllegalArgumentException if the text is not one JSON value; the message says where
     */
    public static @Nullable Object parse(String text) {
        Json json = new Json(text);
        Object value = json.value();
        json.skipSpace();
        if (json.at < text.length()) {
            throw json.unexpected("the end");
        }
        return value;
    }

    /**
     * @throws IllegalArgumentException if the text is not one JSON object; the message says where
     */
    public static Map<String, @Nullable Object> parseObject(String text) {
        if (parse(text) instanceof Map<?, ?> object) {
            return asObject(object);
        }
        throw new IllegalArgumentException("the JSON is not an object");
    }

    /** A map that {@link #parse} made, or that was made of the same types. */
    @SuppressWarnings("unchecked") // keys of JSON objects are strings
    public static Map<String, @Nullable Object> asObject(Object value) {
        return (Map<String, @Nullable Object>) value;
    }

    /** A list that {@link #parse} made, or that was made of the same types. */
    @SuppressWarnings("unchecked") // whatever it holds is an object
    public static List<@Nullable Object> asArray(Object value) {
        return (List<@Nullable Object>) value;
    }

    /** The text of a value, in one line. Numbers may be of any kind. */
    public static String write(@Nullable Object value) {
        StringBuilder text = new StringBuilder();
        write(text, value, 0);
        return text.toString();
    }

    private static void write(StringBuilder text, @Nullable Object value, int depth) {
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException("the JSON nests more than " + MAX_DEPTH + " levels");
        }
        if (value instanceof String string) {
            quote(text, string);
        } else if (value instanceof Map<?, ?> object) {
            String separator = "{";
            for (Map.Entry<?, ?> entry : object.entrySet()) {
                text.append(separator);
                quote(text, (String) entry.getKey());
                text.append(':');
                write(text, entry.getValue(), depth + 1);
                separator = ",";
            }
            text.append(object.isEmpty() ? "{}" : "}");
        } else if (value instanceof List<?> array) {
            String separator = "[";
            for (Object element : array) {
                text.append(separator);
                write(text, element, depth + 1);
                separator = ",";
            }
            text.append(array.isEmpty() ? "[]" : "]");
        } else {
            text.append(value); // a number, a boolean or null
        }
    }

    private static void quote(StringBuilder text, String string) {
        text.append('"');
        for (int i = 0; i < string.length(); i++) {
            char c = string.charAt(i);
            if (c == '"' || c == '\\') {
                text.append('\\').append(c);
            } else if (c < ' ' || Character.isSurrogate(c) && !isPaired(string, i)) {
                // A lone surrogate has no UTF-8; escaped, it reaches the reader as what it is.
                text.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                text.append(c);
            }
        }
        text.append('"');
    }

    private static boolean isPaired(String string, int i) {
        return Character.isHighSurrogate(string.charAt(i))
                ? i + 1 < string.length() && Character.isLowSurrogate(string.charAt(i + 1))
                : i > 0 && Character.isHighSurrogate(string.charAt(i - 1));
    }

    private @Nullable Object value() {
        skipSpace();
        if (at == text.length()) {
            throw unexpected("a value");
        }
        switch (text.charAt(at)) {
            case '{':
                return object();
            case '[':
                return array();
            case '"':
                return string();
            case 't':
                return word("true", true);
            case 'f':
                return word("false", false);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    private Map<String, @Nullable Object> object() {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        enter();
        if (!skip('}')) {
            do {
                skipSpace();
                if (at == text.length() || text.charAt(at) != '"') {
                    throw unexpected("a key in quotes");
                }
                String key = string();
                require(':');
                object.put(key, value());
            } while (skip(','));
            require('}');
        }
        depth--;
        return object;
    }

    private List<@Nullable Object> array() {
        List<@Nullable Object> array = new ArrayList<>();
        enter();
        if (!skip(']')) {
            do {
                array.add(value());
            } while (skip(','));
            require(']');
        }
        depth--;
        return array;
    }

    private void enter() {
        at++;
        if (++depth > MAX_DEPTH) {
            throw new IllegalArgumentException("the JSON nests more than " + MAX_DEPTH + " levels");
        }
    }

    private String string() {
        StringBuilder string = new StringBuilder();
        at++;
        while (true) {
            if (at == text.length()) {
                throw unexpected("the end of a string");
            }
            char c = text.charAt(at);
            if (c < ' ') {
                throw unexpected("an escaped control character");
            }
            at++;
            if (c == '"') {
                return string.toString();
            }
            string.append(c == '\\' ? escaped() : c);
        }
    }

    private char escaped() {
        if (at == text.length()) {
            throw unexpected("an escaped character");
        }
        char c = text.charAt(at++);
        switch (c) {
            case '"':
            case '\\':
            case '/':
                return c;
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                int code = 0;
                for (int end = at + 4; at < end; at++) {
                    int digit = at < text.length() ? Character.digit(text.charAt(at), 16) : -1;
                    if (digit < 0) {
                        throw unexpected("four hexadecimal digits");
                    }
                    code = code * 16 + digit;
                }
                return (char) code;
            default:
                at--;
                throw unexpected("an escaped character");
        }
    }

    private @Nullable Object word(String word, @Nullable Object meaning) {
        if (!text.startsWith(word, at)) {
            throw unexpected("a value");
        }
        at += word.length();
        return meaning;
    }

    private BigDecimal number() {
        int from = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        try {
            return new BigDecimal(text.substring(from, at));
        } catch (NumberFormatException e) {
            at = from;
            throw unexpected("a value");
        }
    }

    private void skipSpace() {
        while (at < text.length() && " \t\n\r".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private boolean skip(char c) {
        skipSpace();
        if (at < text.length() && text.charAt(at) == c) {
            at++;
            return true;
        }
        return false;
    }

    private void require(char c) {
        if (!skip(c)) {
            throw unexpected("'" + c + "'");
        }
    }

    private IllegalArgumentException unexpected(String wanted) {
        return new IllegalArgumentException(
                "the JSON is damaged at character " + at + ": " + wanted + " should stand there");
    }
}
