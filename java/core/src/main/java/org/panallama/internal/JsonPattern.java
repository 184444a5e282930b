package org.panallama.internal;

import java.util.Locale;

/**
 * A {@code pattern} of a JSON schema (ECMA-262) written anew in the few forms that llama.cpp turns into a grammar.
 *
 * <p>llama.cpp puts the pattern between the quotes of a JSON string as it stands. What would need an escape there (a quote, a
 * backslash, a control character) is therefore left out of classes and of the dot: fewer strings than the pattern allows, and
 * each of them matches it.
 */
final class JsonPattern {

    private static final String DIGITS = "0-9";
    private static final String WORD = "A-Za-z0-9_";
    private static final String ANY = "[\\x20-\\x21\\x23-\\x5B\\x5D-\\U0010FFFF]";
    private static final String NEEDS_ESCAPE = "\\x00-\\x1F\\x22\\x5C";

    private final String pattern;
    private final StringBuilder out = new StringBuilder();
    private int at;

    private JsonPattern(String pattern) {
        this.pattern = pattern;
    }

    /**
     * @throws IllegalArgumentException if llama.cpp's grammars cannot express the pattern; the message says why
     */
    static String rewrite(String pattern) {
        return new JsonPattern(pattern).rewritten();
    }

    private String rewritten() {
        boolean fromStart = pattern.startsWith("^");
        int end = pattern.length();
        boolean toEnd = pattern.endsWith("$") && !isEscaped(end - 1);
        at = fromStart ? 1 : 0;
        end -= toEnd ? 1 : 0;
        out.append('^');
        if (!fromStart) {
            out.append(ANY).append('*');
        }
        int depth = 0;
        while (at < end) {
            char c = pattern.charAt(at);
            if (c == '|' && depth == 0 && (fromStart || toEnd)) {
                throw unsupported("'|' beside '^' or '$': put the alternatives into a group");
            }
            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
            step(c);
        }
        if (depth != 0) {
            throw unsupported("unbalanced parentheses");
        }
        if (!toEnd) {
            out.append(ANY).append('*');
        }
        return out.append('$').toString();
    }

    private boolean isEscaped(int index) {
        int backslashes = 0;
        while (index - backslashes > 0 && pattern.charAt(index - backslashes - 1) == '\\') {
            backslashes++;
        }
        return backslashes % 2 == 1;
    }

    private void step(char c) {
        switch (c) {
            case '.':
                out.append(ANY);
                at++;
                break;
            case '[':
                characterClass();
                break;
            case '\\':
                escape();
                break;
            case '(':
                if (pattern.startsWith("(?", at) && !pattern.startsWith("(?:", at)) {
                    throw unsupported("look-around and named groups");
                }
                out.append(c);
                at++;
                break;
            case '^':
            case '$':
                throw unsupported("'" + c + "' within it");
            case '*':
            case '+':
            case '?':
            case '}':
                out.append(c);
                at++;
                if (at < pattern.length() && pattern.charAt(at) == '?') {
                    at++; // lazy or greedy matters for what is found, not for what matches
                }
                break;
            default:
                literal(pattern.codePointAt(at));
                at += Character.charCount(pattern.codePointAt(at));
        }
    }

    private void literal(int codePoint) {
        if (needsEscape(codePoint)) {
            throw unsupported("a quote, backslash or control character");
        }
        out.appendCodePoint(codePoint);
    }

    private void escape() {
        char c = next();
        switch (c) {
            case 'd':
                out.append('[').append(DIGITS).append(']');
                break;
            case 'w':
                out.append('[').append(WORD).append(']');
                break;
            case 'D':
                out.append("[^").append(DIGITS).append(NEEDS_ESCAPE).append(']');
                break;
            case 'W':
                out.append("[^").append(WORD).append(NEEDS_ESCAPE).append(']');
                break;
            case 's':
                out.append("[\\x20\\u00A0]");
                break;
            case 'u':
                literal(hex(4));
                break;
            case 'x':
                literal(hex(2));
                break;
            default:
                if (Character.isLetterOrDigit(c)) {
                    throw unsupported("\\" + c);
                }
                if ("^$.[]()|{}*+?".indexOf(c) >= 0) {
                    out.append('\\').append(c);
                } else {
                    literal(c);
                }
        }
    }

    /** The character behind the backslash that the pattern is at. */
    private char next() {
        if (at + 1 == pattern.length()) {
            throw unsupported("a backslash at its end");
        }
        char c = pattern.charAt(at + 1);
        at += 2;
        return c;
    }

    private int hex(int digits) {
        try {
            int value = Integer.parseInt(pattern.substring(at, at + digits), 16);
            at += digits;
            return value;
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
            throw unsupported("an incomplete \\u or \\x");
        }
    }

    private void characterClass() {
        at++;
        boolean negated = at < pattern.length() && pattern.charAt(at) == '^';
        out.append(negated ? "[^" + NEEDS_ESCAPE : "[");
        at += negated ? 1 : 0;
        int empty = out.length();
        while (true) {
            if (at >= pattern.length()) {
                throw unsupported("a class without its ']'");
            }
            char c = pattern.charAt(at);
            if (c == ']') {
                at++;
                break;
            }
            if (c == '\\' && at + 1 < pattern.length() && "dw".indexOf(pattern.charAt(at + 1)) >= 0) {
                out.append(next() == 'd' ? DIGITS : WORD);
            } else if (c == '\\' && at + 1 < pattern.length() && pattern.charAt(at + 1) == 's') {
                at += 2;
                out.append("\\x20\\u00A0");
            } else {
                range(member());
            }
        }
        if (!negated && out.length() == empty) {
            throw unsupported("a class of quotes, backslashes and control characters only");
        }
        out.append(']');
    }

    private void range(int from) {
        int to = from;
        if (at + 1 < pattern.length() && pattern.charAt(at) == '-' && pattern.charAt(at + 1) != ']') {
            at++;
            to = member();
        }
        if (to < from) {
            throw unsupported("a range that runs backwards");
        }
        // In parts, around what a JSON string cannot hold as it stands.
        append(Math.max(from, ' '), Math.min(to, '"' - 1));
        append(Math.max(from, '"' + 1), Math.min(to, '\\' - 1));
        append(Math.max(from, '\\' + 1), to);
    }

    private void append(int from, int to) {
        if (from <= to) {
            out.append(String.format(Locale.ROOT, from == to ? "\\U%08X" : "\\U%08X-\\U%08X", from, to));
        }
    }

    private int member() {
        int codePoint = pattern.codePointAt(at);
        if (codePoint != '\\') {
            at += Character.charCount(codePoint);
            return codePoint;
        }
        char c = next();
        switch (c) {
            case 'n':
                return '\n';
            case 't':
                return '\t';
            case 'r':
                return '\r';
            case 'u':
                return hex(4);
            case 'x':
                return hex(2);
            default:
                if (Character.isLetterOrDigit(c)) {
                    throw unsupported("\\" + c + " in a class");
                }
                return c;
        }
    }

    private static boolean needsEscape(int codePoint) {
        return codePoint < ' ' || codePoint == '"' || codePoint == '\\';
    }

    private IllegalArgumentException unsupported(String what) {
        return new IllegalArgumentException("the pattern '" + pattern + "' has " + what);
    }
}
