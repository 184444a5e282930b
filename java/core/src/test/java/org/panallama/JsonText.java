package org.panallama;

/** Tells whether a text is JSON (RFC 8259). */
final class JsonText {

    private static final String STRING = "\"(?:[^\"\\\\\\x00-\\x1F]|\\\\(?:[\"\\\\/bfnrt]|u[0-9a-fA-F]{4}))*\"";
    private static final String NUMBER = "-?(?:0|[1-9][0-9]*)(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?";
    private static final String SPACE = "[ \\t\\r\\n]*";

    private JsonText() {}

    /** Replaces strings, then scalars, then lists and objects from the inside out, by what stands for any value. */
    static boolean isValid(String text) {
        String value = text.replaceAll(STRING, "S").replaceAll(NUMBER + "|true|false|null", "V");
        String any = SPACE + "[SV]" + SPACE;
        String list = "\\[(?:" + any + "(?:," + any + ")*|" + SPACE + ")\\]";
        String member = SPACE + "S" + SPACE + ":" + any;
        String object = "\\{(?:" + member + "(?:," + member + ")*|" + SPACE + ")\\}";
        for (String before = ""; !before.equals(value); ) {
            before = value;
            value = value.replaceAll(list + "|" + object, "V");
        }
        return value.matches(any);
    }
}
