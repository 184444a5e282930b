package org.panallama.internal;

import java.util.Locale;
import org.panallama.GrammarException;

/** Reads the characters of a grammar, and says where something is wrong with it. Its positions are indexes of chars. */
final class GrammarText {

    private static final int AT_END = -1;
    private static final int MAX_LENGTH = 1 << 20;

    private final String text;
    private int position;

    GrammarText(String text) {
        if (text.length() > MAX_LENGTH) {
            throw new GrammarException(
                    "the grammar has " + text.length() + " characters; more than " + MAX_LENGTH + " are not supported");
        }
        this.text = text;
    }

    static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }

    /** Whether it is a character of a rule's name. */
    static boolean isWord(int c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || isDigit(c);
    }

    int position() {
        return position;
    }

    boolean atEnd() {
        return position == text.length();
    }

    /** The next char, or -1 at the end. */
    int peek() {
        return peek(0);
    }

    int peek(int ahead) {
        int at = position + ahead;
        return at < text.length() ? text.charAt(at) : AT_END;
    }

    void next() {
        position++;
    }

    /** Goes past something if it stands here, and returns whether it does. */
    boolean skip(String expected) {
        boolean found = text.startsWith(expected, position);
        if (found) {
            position += expected.length();
        }
        return found;
    }

    /** Goes past blanks and comments, and past line ends too where they mean nothing. */
    void skipSpace(boolean lineEnds) {
        while (true) {
            int c = peek();
            if (c == '#') {
                while (!atEnd() && !isLineEnd(peek())) {
                    position++;
                }
            } else if (c == ' ' || c == '\t' || lineEnds && isLineEnd(c)) {
                position++;
            } else {
                return;
            }
        }
    }

    boolean skipLineEnd() {
        return skip("\r\n") || skip("\n") || skip("\r");
    }

    private static boolean isLineEnd(int c) {
        return c == '\n' || c == '\r';
    }

    /** The name of a rule. */
    String name() {
        int start = position;
        while (isWord(peek())) {
            position++;
        }
        if (start == position) {
            throw expected("the name of a rule");
        }
        return from(start);
    }

    /** A decimal number; {@link Long#MAX_VALUE} if it is larger than that. */
    long number(String what) {
        int start = position;
        while (isDigit(peek())) {
            position++;
        }
        if (start == position) {
            throw expected(what);
        }
        try {
            return Long.parseLong(from(start));
        } catch (NumberFormatException e) {
            return Long.MAX_VALUE;
        }
    }

    /** A character of a literal or set, written out or escaped, as a code point. */
    int character() {
        if (peek() != '\\') {
            int c = text.codePointAt(position);
            if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
                throw error(
                        position,
                        String.format(Locale.ROOT, "half of a surrogate pair, \\u%04X, is not a character", c));
            }
            position += Character.charCount(c);
            return c;
        }
        int escaped = peek(1);
        switch (escaped) {
            case 'x':
                return hexadecimal(2);
            case 'u':
                return hexadecimal(4);
            case 'U':
                return hexadecimal(8);
            default:
                int at = "trn\\\"[]-".indexOf(escaped);
                if (at < 0) {
                    throw error(
                            position,
                            "expected an escape that exists (\\t \\r \\n \\\\ \\\" \\[ \\] \\- \\x00 \\u0000 \\U00000000),"
                                    + " found \\" + (escaped == AT_END ? " and the end" : quoted(position + 1)));
                }
                position += 2;
                return "\t\r\n\\\"[]-".charAt(at);
        }
    }

    private int hexadecimal(int digits) {
        int start = position;
        position += 2;
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int c = peek();
            int digit = c >= 0 && c < 128 ? Character.digit(c, 16) : -1;
            if (digit < 0) {
                throw expected(digits + " hexadecimal digits after \\" + text.charAt(start + 1));
            }
            value = value << 4 | digit;
            position++;
        }
        return value;
    }

    String from(int start) {
        return text.substring(start, position);
    }

    /** Something else than this was found here. */
    GrammarException expected(String what) {
        return error(position, "expected " + what + ", found " + quote(position));
    }

    GrammarException error(int at, String message) {
        return new GrammarException("grammar " + place(at) + ": " + message);
    }

    /** What stands somewhere, in quotes. */
    String quote(int at) {
        if (at >= text.length()) {
            return "the end of the grammar";
        }
        return isLineEnd(text.charAt(at)) ? "the end of the line" : "'" + quoted(at) + "'";
    }

    private String quoted(int at) {
        return Character.toString(text.codePointAt(at));
    }

    /** Line and column, both from 1. */
    String place(int at) {
        int line = 1;
        int begin = 0;
        for (int i = 0; i < at; i++) {
            char c = text.charAt(i);
            if (c == '\n' || c == '\r' && (i + 1 == text.length() || text.charAt(i + 1) != '\n')) {
                line++;
                begin = i + 1;
            }
        }
        return line + ":" + (text.codePointCount(begin, at) + 1);
    }
}
