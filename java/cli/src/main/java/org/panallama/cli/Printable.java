package org.panallama.cli;

import java.util.Locale;

/** Values as they are shown to people. */
final class Printable {

    private static final String[] UNITS = {"kB", "MB", "GB", "TB"};

    private Printable() {}

    /** Text in quotes on one line, with control characters escaped so that they cannot play with the terminal. */
    static String quoted(String text) {
        return "\"" + escaped(text).replace("\"", "\\\"") + "\"";
    }

    /** Text on one line. */
    static String escaped(String text) {
        StringBuilder escaped = new StringBuilder();
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> escaped.append("\\n");
                case '\r' -> escaped.append("\\r");
                case '\t' -> escaped.append("\\t");
                default -> {
                    if (Character.isISOControl(c)) {
                        escaped.append(String.format(Locale.ROOT, "\\u%04x", c));
                    } else {
                        escaped.appendCodePoint(c);
                    }
                }
            }
        });
        return escaped.toString();
    }

    /** A number of bytes in decimal units. */
    static String bytes(long count) {
        if (count < 1000) {
            return count + " B";
        }
        double value = count / 1e3;
        int unit = 0;
        while (value >= 999.95 && unit < UNITS.length - 1) {
            value /= 1000;
            unit++;
        }
        return String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit]);
    }

    /** A number of parameters. */
    static String parameters(long count) {
        return count >= 1_000_000_000
                ? String.format(Locale.ROOT, "%.1f B", count / 1e9)
                : String.format(Locale.ROOT, "%.1f M", count / 1e6);
    }
}
