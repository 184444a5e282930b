package org.panallama.internal;

import java.util.List;

/** Makes text of generated tokens: whole characters, up to a stop string. For one text, and for one thread at a time. */
public final class AnswerText {

    private final Utf8Decoder decoder = new Utf8Decoder();
    private final StopMatcher stops;
    private final boolean stripLeadingSpace;
    private boolean atStart = true;

    /**
     * @param stops no empty ones
     * @param stripLeadingSpace whether the space that SentencePiece puts in front of a text is left out
     */
    public AnswerText(List<String> stops, boolean stripLeadingSpace) {
        this.stops = new StopMatcher(stops);
        this.stripLeadingSpace = stripLeadingSpace;
    }

    /** Takes the next token's bytes; returns what can be passed on. */
    public String accept(byte[] piece) {
        String text = decoder.decode(piece);
        if (atStart && !text.isEmpty()) {
            atStart = false;
            if (stripLeadingSpace && text.charAt(0) == ' ') {
                text = text.substring(1);
            }
        }
        return stops.accept(text);
    }

    /** Whether a stop string came up; nothing that follows is text. */
    public boolean isStopped() {
        return stops.isStopped();
    }

    /** The end of the text: what was held back. */
    public String finish() {
        return stops.isStopped() ? "" : stops.accept(decoder.finish()) + stops.finish();
    }
}
