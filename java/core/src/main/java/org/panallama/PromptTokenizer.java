package org.panallama;

import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.panallama.ChatTemplate.Piece;
import org.panallama.internal.TokenHistory;

/**
 * Tokens of a prompt that is made of a template's own text and of contents: special tokens come from the template alone, and
 * all the same the result is what tokenizing the prompt in one would give, since text is cut only where a special token stands.
 *
 * <p>Two limits: a marker that is plain text to the vocabulary, as {@code [INST]} is for Mixtral 8x7B v0.1, is the same tokens
 * wherever it comes from; and a token that the vocabulary declares {@linkplain TokenAttribute#USER_DEFINED user-defined} is
 * found by llama.cpp in any text.
 */
final class PromptTokenizer {

    private final Vocab vocab;
    private final Map<String, Integer> specials = new HashMap<>();
    private final Pattern special;

    PromptTokenizer(Vocab vocab) {
        this.vocab = vocab;
        for (int token = 0; token < vocab.size(); token++) {
            Set<TokenAttribute> attributes = vocab.attributes(token);
            if (attributes.contains(TokenAttribute.CONTROL) || attributes.contains(TokenAttribute.UNKNOWN)) {
                specials.putIfAbsent(vocab.text(token), token);
            }
        }
        specials.remove("");
        this.special = Pattern.compile(
                specials.isEmpty()
                        ? "(?!)"
                        : specials.keySet().stream()
                                .sorted(Comparator.comparingInt(String::length).reversed())
                                .map(Pattern::quote)
                                .collect(Collectors.joining("|")));
    }

    /**
     * The ids of an answer as it was generated. Tokenizing its text could give others.
     *
     * @param cue the template's text right before it
     */
    record Answer(int[] ids, String cue) {

        /** Whether it can stand behind this text. A template may write a space before earlier answers. */
        boolean fits(String literal) {
            return literal.startsWith(cue) && literal.substring(cue.length()).isBlank();
        }
    }

    /** The tokens of a text, with nothing added. */
    int[] tokenize(List<Piece> pieces) {
        return tokens(pieces, List.of()).finish();
    }

    /**
     * The tokens of a prompt, BOS in front if the model wants it and the template does not write it.
     *
     * @param answers one for each of the assistant's pieces, {@code null} to tokenize its text; may end early
     */
    int[] tokenize(List<Piece> pieces, List<@Nullable Answer> answers) {
        int[] tokens = tokens(pieces, answers).finish();
        int bos = vocab.bos();
        if (!vocab.addsBos() || bos == Vocab.NO_TOKEN || (tokens.length > 0 && tokens[0] == bos)) {
            return tokens;
        }
        int[] withBos = new int[tokens.length + 1];
        withBos[0] = bos;
        System.arraycopy(tokens, 0, withBos, 1, tokens.length);
        return withBos;
    }

    private Tokens tokens(List<Piece> pieces, List<@Nullable Answer> answers) {
        Tokens tokens = new Tokens();
        int answer = 0;
        Answer generated = null;
        for (int i = 0; i < pieces.size(); i++) {
            Piece piece = pieces.get(i);
            if (piece.isLiteral()) {
                boolean answerNext = i + 1 < pieces.size() && pieces.get(i + 1).isAnswer() && answer < answers.size();
                generated = answerNext ? answers.get(answer) : null;
                if (generated != null && !generated.fits(piece.text())) {
                    generated = null;
                }
                tokens.literal(generated == null ? piece.text() : generated.cue);
            } else if (generated != null) {
                tokens.ids(generated.ids);
                generated = null;
                answer++;
            } else {
                tokens.content(piece.text());
                answer += piece.isAnswer() ? 1 : 0;
            }
        }
        return tokens;
    }

    /** What the prompt ends with, where an answer would follow. */
    static String cue(List<Piece> pieces) {
        Piece last = pieces.get(pieces.size() - 1);
        return last.isLiteral() ? last.text() : "";
    }

    /** The tokens so far, and text behind them that is not tokenized yet. */
    private final class Tokens {

        private final TokenHistory ids = new TokenHistory();
        private final StringBuilder text = new StringBuilder();
        private boolean afterAnswer;
        private boolean takesSpace;

        void literal(String literal) {
            Matcher matcher = special.matcher(literal);
            int end = 0;
            while (matcher.find()) {
                content(literal.substring(end, matcher.start()));
                special(specials.get(matcher.group()));
                end = matcher.end();
            }
            content(literal.substring(end));
        }

        private void special(int token) {
            Set<TokenAttribute> attributes = vocab.attributes(token);
            if (attributes.contains(TokenAttribute.LSTRIP)) {
                text.setLength(text.toString().stripTrailing().length());
            }
            flush();
            ids.append(token);
            afterAnswer = false;
            takesSpace = attributes.contains(TokenAttribute.RSTRIP);
        }

        void content(String content) {
            text.append(takesSpace ? content.stripLeading() : content);
            takesSpace &= text.length() == 0;
        }

        void ids(int[] answer) {
            flush();
            ids.append(answer, 0, answer.length);
            afterAnswer |= answer.length > 0;
        }

        private void flush() {
            if (text.length() > 0) {
                int[] more =
                        afterAnswer ? continuation(text.toString()) : vocab.tokenize(text.toString(), false, false);
                ids.append(more, 0, more.length);
                text.setLength(0);
                afterAnswer = false;
            }
            takesSpace = false;
        }

        int[] finish() {
            flush();
            return ids.toArray();
        }
    }

    /** Tokens of text that does not begin one: without the space that SentencePiece puts in front of every text. */
    private int[] continuation(String text) {
        if (vocab.type() != VocabType.SPM) {
            return vocab.tokenize(text, false, false);
        }
        int[] lead = vocab.tokenize("\n", false, false); // a byte of its own, which never joins what follows
        int[] both = vocab.tokenize("\n" + text, false, false);
        return Arrays.mismatch(lead, both) == lead.length
                ? Arrays.copyOfRange(both, lead.length, both.length)
                : vocab.tokenize(text, false, false);
    }
}
