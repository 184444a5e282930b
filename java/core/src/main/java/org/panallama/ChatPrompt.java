package org.panallama;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A prompt, and what belongs to generating and reading the answer. Immutable and thread-safe. */
public final class ChatPrompt {

    private final List<ChatTemplate.Piece> pieces;
    private final @Nullable Grammar grammar;
    private final List<String> stop;
    private final Set<String> preservedTokens;
    private final @Nullable String syntax;
    private final boolean textCalls;

    ChatPrompt(
            List<ChatTemplate.Piece> pieces,
            @Nullable Grammar grammar,
            List<String> stop,
            Set<String> preservedTokens,
            @Nullable String syntax,
            boolean textCalls) {
        this.pieces = List.copyOf(pieces);
        this.grammar = grammar;
        this.stop = List.copyOf(stop);
        this.preservedTokens = Set.copyOf(preservedTokens);
        this.syntax = syntax;
        this.textCalls = textCalls;
    }

    /** The same prompt for an answer that may hold calls in the form of {@link TextTools}. */
    ChatPrompt withTextCalls(Grammar calls) {
        Set<String> preserved = new HashSet<>(preservedTokens);
        preserved.add(TextTools.OPEN);
        preserved.add(TextTools.CLOSE);
        return new ChatPrompt(pieces, calls, stop, preserved, syntax, true);
    }

    /** The prompt without the BOS that tokenizing adds. */
    public String text() {
        return ChatTemplate.joined(pieces);
    }

    /**
     * The prompt's tokens, BOS in front if the model wants it. Special tokens come from the template's own text alone: what reads
     * like one in a message is text.
     */
    public int[] tokens(Vocab vocab) {
        return vocab.promptTokenizer().tokenize(pieces, List.of());
    }

    /** What holds the answer to tool calls or a schema. */
    public Optional<Grammar> grammar() {
        return Optional.ofNullable(grammar);
    }

    /** Texts that end the answer, beside the model's own end. */
    public List<String> stop() {
        return stop;
    }

    /** Special tokens of the answer that its parser has to see as text. */
    public Set<Integer> preservedTokens(Vocab vocab) {
        Set<Integer> tokens = new HashSet<>();
        for (String text : preservedTokens) {
            int[] ids = vocab.tokenize(text, false, true);
            if (ids.length == 1) {
                tokens.add(ids[0]);
            }
        }
        return tokens;
    }

    /** A reader for one answer. */
    public AnswerParser newParser() {
        return AnswerParser.of(syntax, textCalls);
    }
}
