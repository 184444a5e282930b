package org.panallama.internal;

import java.util.List;

/**
 * Lets text through up to the first stop string, and holds back what could be the beginning of one. Not thread-safe.
 */
public final class StopMatcher {

    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean stopped;

    /** @param stops no empty ones */
    public StopMatcher(List<String> stops) {
        this.stops = stops;
    }

    /** Takes the next piece of text; returns what can be passed on. */
    public String accept(String piece) {
        if (stops.isEmpty()) {
            return piece;
        }
        held.append(piece);
        int first = -1;
        for (String stop : stops) {
            int at = held.indexOf(stop);
            if (at >= 0 && (first < 0 || at < first)) {
                first = at;
            }
        }
        if (first >= 0) {
            stopped = true;
            return release(first);
        }
        return release(held.length() - longestBeginning());
    }

    /** Whether a stop string came up; nothing that follows is text. */
    public boolean isStopped() {
        return stopped;
    }

    /** The end of the text: what was held back and turned out not to be a stop string. */
    public String finish() {
        String rest = stopped ? "" : held.toString();
        held.setLength(0);
        return rest;
    }

    private String release(int length) {
        String text = held.substring(0, length);
        held.delete(0, length);
        return text;
    }

    /** How much of the end could be the beginning of a stop string. */
    private int longestBeginning() {
        int longest = 0;
        for (String stop : stops) {
            for (int length = Math.min(held.length(), stop.length() - 1); length > longest; length--) {
                if (endsWith(stop, length)) {
                    longest = length;
                }
            }
        }
        return longest;
    }

    private boolean endsWith(String stop, int length) {
        int start = held.length() - length;
        for (int i = 0; i < length; i++) {
            if (held.charAt(start + i) != stop.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}
