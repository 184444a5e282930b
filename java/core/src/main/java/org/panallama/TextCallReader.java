package org.panallama;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds tool calls in an answer's text while it comes, in the form of {@link TextTools}. What only looks like the beginning of a
 * call is text. For one answer, and for one thread at a time.
 */
final class TextCallReader {

    private static final Pattern BEGINNING = Pattern.compile("\\s*" + TextTools.OPEN
            + "\\s*\\{\\s*\"name\"\\s*:\\s*\"([A-Za-z0-9_.-]+)\"\\s*,\\s*\"arguments\"\\s*:\\s*(?=\\{)");

    private final StringBuilder content = new StringBuilder();
    private final List<String> names = new ArrayList<>();
    private final List<StringBuilder> arguments = new ArrayList<>();
    private final StringBuilder pending = new StringBuilder(); // read, but not known yet what it is
    private State state = State.TEXT;
    private int depth; // of the brackets that are open in the arguments
    private boolean inString;
    private boolean escaped;

    private enum State {
        TEXT,
        BEGINNING,
        ARGUMENTS,
        END
    }

    /**
     * Reads more of the answer.
     *
     * @param complete whether that was all of it
     * @return what came of it
     */
    List<ChatDelta> read(String more, boolean complete) {
        pending.append(more);
        List<ChatDelta> deltas = new ArrayList<>();
        boolean goesOn = true;
        while (goesOn) {
            goesOn = switch (state) {
                case TEXT -> text(deltas);
                case BEGINNING -> beginning(deltas);
                case ARGUMENTS -> arguments(deltas);
                case END -> end();
            };
        }
        if (complete && (state == State.TEXT || state == State.BEGINNING)) {
            say(pending.length(), deltas);
        }
        return deltas;
    }

    String content() {
        return content.toString();
    }

    List<ToolCall> toolCalls() {
        List<ToolCall> calls = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            calls.add(new ToolCall("", names.get(i), arguments.get(i).toString()));
        }
        return calls;
    }

    /** Says what cannot be a call. The space before one belongs to it. */
    private boolean text(List<ChatDelta> deltas) {
        int call = pending.indexOf(TextTools.OPEN);
        int certain = call >= 0 ? call : pending.length();
        if (call < 0) {
            int tag = pending.lastIndexOf("<");
            if (tag >= 0 && TextTools.OPEN.startsWith(pending.substring(tag))) {
                certain = tag;
            }
        }
        int end = certain;
        while (end > 0 && Character.isWhitespace(pending.charAt(end - 1))) {
            end--;
        }
        say(end, deltas);
        if (call >= 0) {
            state = State.BEGINNING;
        }
        return call >= 0;
    }

    private void say(int length, List<ChatDelta> deltas) {
        if (length > 0) {
            String text = pending.substring(0, length);
            pending.delete(0, length);
            content.append(text);
            deltas.add(new ChatDelta(text, "", -1, "", "", ""));
        }
    }

    private boolean beginning(List<ChatDelta> deltas) {
        Matcher matcher = BEGINNING.matcher(pending);
        if (matcher.lookingAt()) {
            names.add(matcher.group(1));
            arguments.add(new StringBuilder());
            deltas.add(new ChatDelta("", "", names.size() - 1, "", matcher.group(1), ""));
            pending.delete(0, matcher.end());
            state = State.ARGUMENTS;
            return true;
        }
        int close = pending.indexOf(TextTools.CLOSE);
        if (close < 0) {
            return false;
        }
        say(close + TextTools.CLOSE.length(), deltas);
        state = State.TEXT;
        return true;
    }

    private boolean arguments(List<ChatDelta> deltas) {
        int end = 0;
        while (end < pending.length() && state == State.ARGUMENTS) {
            accept(pending.charAt(end++));
        }
        if (end > 0) {
            String piece = pending.substring(0, end);
            pending.delete(0, end);
            arguments.get(names.size() - 1).append(piece);
            deltas.add(new ChatDelta("", "", names.size() - 1, "", "", piece));
        }
        return state == State.END;
    }

    private void accept(char c) {
        if (escaped) {
            escaped = false;
        } else if (inString) {
            escaped = c == '\\';
            inString = c != '"';
        } else if (c == '"') {
            inString = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            state = State.END;
        }
    }

    private boolean end() {
        int close = pending.indexOf(TextTools.CLOSE);
        if (close < 0) {
            return false;
        }
        pending.delete(0, close + TextTools.CLOSE.length());
        state = State.TEXT;
        return true;
    }
}
