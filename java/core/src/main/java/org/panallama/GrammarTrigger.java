package org.panallama;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.Utf8Decoder;

/**
 * Watches a text for the point where a lazy grammar sets in. It does so in Java, since llama.cpp ends the process when the text
 * behind its trigger does not follow the grammar.
 */
final class GrammarTrigger {

    private static final int WITHIN_CHARACTER = -1;

    private final Grammar grammar;
    private final Vocab vocab;
    private final StringBuilder text = new StringBuilder();
    private final List<Piece> pieces = new ArrayList<>();
    private Utf8Decoder decoder = new Utf8Decoder();

    /**
     * A token of the text.
     *
     * @param from where it begins in the text
     */
    private record Piece(int token, int from) {}

    /**
     * What the grammar has to follow once it sets in.
     *
     * @param bytes of a token, from where the trigger cuts it; none if it sets in between two tokens
     * @param tokens that come then
     */
    record Constrained(byte[] bytes, int[] tokens) {}

    GrammarTrigger(Grammar grammar, Vocab vocab) {
        this.grammar = grammar;
        this.vocab = vocab;
    }

    GrammarTrigger copy() {
        GrammarTrigger copy = new GrammarTrigger(grammar, vocab);
        copy.text.append(text);
        copy.pieces.addAll(pieces);
        copy.decoder = decoder.copy();
        return copy;
    }

    void reset() {
        text.setLength(0);
        pieces.clear();
        decoder = new Utf8Decoder();
    }

    /** Goes on with a token. Returns null as long as the grammar does not set in. */
    @Nullable Constrained append(int token) {
        add(token);
        return grammar.triggerTokens().contains(token) ? new Constrained(new byte[0], new int[] {token}) : find();
    }

    /** Takes back the last token. */
    void undo() {
        int from = pieces.size() - 1;
        while (from > 0 && pieces.get(from).from == WITHIN_CHARACTER) {
            from--;
        }
        List<Piece> again = List.copyOf(pieces.subList(from, pieces.size() - 1));
        text.setLength(pieces.get(from).from);
        pieces.subList(from, pieces.size()).clear();
        decoder = new Utf8Decoder();
        again.forEach(piece -> add(piece.token));
    }

    private void add(int token) {
        pieces.add(new Piece(token, decoder.isPending() ? WITHIN_CHARACTER : text.length()));
        text.append(decoder.decode(vocab.bytesOf(token, true)));
    }

    private @Nullable Constrained find() {
        for (Pattern trigger : grammar.triggers()) {
            Matcher matcher = trigger.matcher(text);
            if (matcher.find()) {
                return from(start(matcher));
            }
        }
        return null;
    }

    private static int start(Matcher matcher) {
        for (int group = 1; group <= matcher.groupCount(); group++) {
            if (matcher.start(group) < matcher.end(group)) {
                return matcher.start(group);
            }
        }
        return matcher.start();
    }

    private Constrained from(int start) {
        int next = 0; // the first token that the grammar gets as a whole
        while (next < pieces.size() && pieces.get(next).from < start) {
            next++;
        }
        int[] whole = pieces.stream()
                .skip(next)
                .mapToInt(Piece::token)
                .filter(token -> vocab.bytesOf(token, true).length > 0)
                .toArray();
        if (next == 0 || next < pieces.size() && pieces.get(next).from == start) {
            return new Constrained(new byte[0], whole);
        }
        int cut = next - 1;
        while (pieces.get(cut).from == WITHIN_CHARACTER) {
            cut--;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = cut; i < next; i++) {
            bytes.writeBytes(vocab.bytesOf(pieces.get(i).token, true));
        }
        String before = text.substring(pieces.get(cut).from, start);
        int skipped = Math.min(bytes.size(), before.getBytes(StandardCharsets.UTF_8).length);
        return new Constrained(Arrays.copyOfRange(bytes.toByteArray(), skipped, bytes.size()), whole);
    }
}
