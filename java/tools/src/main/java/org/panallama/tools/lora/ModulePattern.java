package org.panallama.tools.lora;

import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A key of PEFT's {@code rank_pattern} and {@code alpha_pattern}: a regular expression that matches a module's whole name, or
 * what follows a dot in it. Expression and names come from files, and some of both take longer than anybody waits.
 */
final class ModulePattern {

    /** Characters that are looked at for one name, some thousand times what useful expressions need. */
    private static final int MOST_STEPS = 1 << 20;

    private final String where;
    private final String expression;
    private final Pattern pattern;

    /** @param where it stands, for errors */
    ModulePattern(String where, String expression) {
        this.where = where;
        this.expression = expression;
        try {
            this.pattern = Pattern.compile("(.*\\.)?(" + expression + ")");
        } catch (PatternSyntaxException e) {
            throw refused("which is no regular expression: " + e.getDescription(), e);
        }
    }

    boolean matches(String module) {
        try {
            return pattern.matcher(new Counted(module, new int[1])).matches();
        } catch (EndlessException | StackOverflowError e) {
            throw refused("which takes too long for the module '" + module + "'", e);
        }
    }

    private LoraException refused(String why, Throwable cause) {
        return new LoraException(where + " has '" + expression + "', " + why, cause);
    }

    private static final class EndlessException extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** Ends the matching that has looked at too many characters. */
    private record Counted(CharSequence text, int[] steps) implements CharSequence {

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public char charAt(int index) {
            if (++steps[0] > MOST_STEPS) {
                throw new EndlessException();
            }
            return text.charAt(index);
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return new Counted(text.subSequence(start, end), steps);
        }

        @Override
        public String toString() {
            return text.toString();
        }
    }
}
