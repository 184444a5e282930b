package org.panallama;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.Require;
import org.panallama.spi.Binding;
import org.panallama.spi.SpecialToken;

/**
 * The tokens of a model: text to token ids and back. Token ids go from 0 to {@link #size()} - 1.
 *
 * <p>Thread-safe, and usable as long as its model is open.
 */
public final class Vocab {

    /** What the methods for tokens with a role return if the vocabulary has none. */
    public static final int NO_TOKEN = -1;

    private final Binding binding;
    private final Handle model;
    private final long address;
    private final int size;
    private final VocabType type;
    private final byte[][] plainPieces;
    private final byte[][] specialPieces;
    private volatile @Nullable PromptTokenizer promptTokenizer;
    private int longestPiece = -1; // not known yet; all threads find the same

    Vocab(Binding binding, Handle model, long address) {
        this.binding = binding;
        this.model = model;
        this.address = address;
        this.type = VocabType.of(binding.vocabType(address));
        this.size = binding.vocabSize(address);
        this.plainPieces = new byte[size][];
        this.specialPieces = new byte[size][];
    }

    /** The number of tokens. */
    public int size() {
        return size;
    }

    /** The kind of tokenizer. */
    public VocabType type() {
        return type;
    }

    /** {@link #tokenize(String, boolean, boolean)} with BOS and EOS as the model wants them, and special tokens recognised. */
    public int[] tokenize(String text) {
        return tokenize(text, true, true);
    }

    /**
     * Splits text into tokens.
     *
     * @param text any text; half of a surrogate pair becomes a question mark
     * @param addSpecial whether to add the tokens that the model wants around a text, usually BOS in front
     * @param parseSpecial whether text that reads like a special token ({@code </s>}) becomes that token. Pass {@code false}
     *     for text of a user who must not be able to end a turn
     * @return token ids; empty if the text is and nothing is added
     * @throws UnsupportedOperationException if the model has no vocabulary
     */
    public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        long vocab = enter();
        try {
            if (type == VocabType.NONE) {
                throw new UnsupportedOperationException(model + " has no vocabulary to tokenize with");
            }
            return binding.tokenize(vocab, utf8, addSpecial, parseSpecial);
        } finally {
            model.exit();
        }
    }

    /** Made once: it looks at every token. Two threads may both make it, which does no harm. */
    PromptTokenizer promptTokenizer() {
        PromptTokenizer tokenizer = promptTokenizer;
        if (tokenizer == null) {
            tokenizer = new PromptTokenizer(this);
            promptTokenizer = tokenizer;
        }
        return tokenizer;
    }

    /**
     * Joins tokens to text, as the model's tokenizer would: without the space that SentencePiece puts in front. Special tokens
     * have no text. Bytes that are not UTF-8 become replacement characters.
     *
     * @throws IndexOutOfBoundsException if a token is not in the vocabulary
     */
    public String detokenize(int... tokens) {
        return detokenize(tokens, true, false);
    }

    /**
     * Joins tokens to text.
     *
     * @param tokens token ids
     * @param removeSpecial whether to leave out the BOS and EOS that {@code tokenize} adds
     * @param showSpecial whether special tokens are written out ({@code </s>})
     * @throws IndexOutOfBoundsException if a token is not in the vocabulary
     */
    public String detokenize(int[] tokens, boolean removeSpecial, boolean showSpecial) {
        // llama.cpp leaves the space that SentencePiece puts in front where it removes BOS itself.
        int from = removeSpecial && tokens.length > 0 && tokens[0] == bos() && addsBos() ? 1 : 0;
        int[] checked = Arrays.copyOfRange(tokens, from, tokens.length);
        for (int token : checked) {
            Require.index("token", token, size);
        }
        long vocab = enter();
        try {
            return new String(binding.detokenize(vocab, checked, removeSpecial, showSpecial), StandardCharsets.UTF_8);
        } finally {
            model.exit();
        }
    }

    /**
     * The text of one token as it appears within a text, for display. A token can be a part of a character: join with {@link
     * #detokenize}, or use {@link #pieceBytes}.
     *
     * @throws IndexOutOfBoundsException if the token is not in the vocabulary
     */
    public String piece(int token) {
        return new String(bytesOf(token, true), StandardCharsets.UTF_8);
    }

    /**
     * The bytes of one token within a text, a copy.
     *
     * @param showSpecial whether a special token is written out; it has no bytes otherwise
     * @throws IndexOutOfBoundsException if the token is not in the vocabulary
     */
    public byte[] pieceBytes(int token, boolean showSpecial) {
        return bytesOf(token, showSpecial).clone();
    }

    /** The shared array of a token's bytes, fetched once. Two threads may both fetch it, which does no harm. */
    byte[] bytesOf(int token, boolean showSpecial) {
        byte[][] pieces = showSpecial ? specialPieces : plainPieces;
        byte[] piece = pieces[Require.index("token", token, size)];
        if (piece == null) {
            long vocab = enter();
            try {
                piece = binding.tokenToPiece(vocab, token, showSpecial);
            } finally {
                model.exit();
            }
            pieces[token] = piece;
        }
        return piece;
    }

    /** The bytes of the longest token. Fetches all of them the first time. */
    int longestPiece() {
        int longest = longestPiece;
        if (longest < 0) {
            for (int token = 0; token < size; token++) {
                longest = Math.max(longest, bytesOf(token, true).length);
            }
            longestPiece = longest;
        }
        return longest;
    }

    /** The token's entry in the vocabulary file, with its markers for spaces and bytes ({@code ▁the}, {@code <0x0A>}). */
    public String text(int token) {
        return ask(token, vocab -> binding.vocabText(vocab, token));
    }

    /** The token's score in a SentencePiece vocabulary. */
    public float score(int token) {
        return ask(token, vocab -> binding.vocabScore(vocab, token));
    }

    /** The token's properties. */
    public Set<TokenAttribute> attributes(int token) {
        int bits = ask(token, vocab -> binding.vocabAttributes(vocab, token));
        Set<TokenAttribute> attributes = EnumSet.noneOf(TokenAttribute.class);
        for (TokenAttribute attribute : TokenAttribute.values()) {
            if ((bits & attribute.code()) != 0) {
                attributes.add(attribute);
            }
        }
        return attributes;
    }

    /** Whether the model ends its answer with this token: EOS, end of turn and the like. */
    public boolean isEndOfGeneration(int token) {
        Require.index("token", token, size);
        long vocab = enter();
        try {
            return binding.vocabIsEndOfGeneration(vocab, token);
        } finally {
            model.exit();
        }
    }

    /** Whether the token has a meaning to the model rather than a text. */
    public boolean isControl(int token) {
        return ask(token, vocab -> binding.vocabIsControl(vocab, token));
    }

    /** Beginning of sentence, or {@link #NO_TOKEN}. Also the classification token of BERT. */
    public int bos() {
        return special(SpecialToken.BOS);
    }

    /** End of sentence, or {@link #NO_TOKEN}. */
    public int eos() {
        return special(SpecialToken.EOS);
    }

    /** End of turn, or {@link #NO_TOKEN}. */
    public int eot() {
        return special(SpecialToken.EOT);
    }

    /** Separator of sentences, or {@link #NO_TOKEN}. */
    public int separator() {
        return special(SpecialToken.SEP);
    }

    /** Line feed, or {@link #NO_TOKEN}. */
    public int newline() {
        return special(SpecialToken.NEWLINE);
    }

    /** Padding, or {@link #NO_TOKEN}. */
    public int padding() {
        return special(SpecialToken.PAD);
    }

    /** Mask, or {@link #NO_TOKEN}. */
    public int mask() {
        return special(SpecialToken.MASK);
    }

    /** Introduces the text before the gap to fill, or {@link #NO_TOKEN}. */
    public int infillPrefix() {
        return special(SpecialToken.FIM_PREFIX);
    }

    /** Introduces the text after the gap to fill, or {@link #NO_TOKEN}. */
    public int infillSuffix() {
        return special(SpecialToken.FIM_SUFFIX);
    }

    /** Introduces the text of the gap, or {@link #NO_TOKEN}. */
    public int infillMiddle() {
        return special(SpecialToken.FIM_MIDDLE);
    }

    /** Padding of infill prompts, or {@link #NO_TOKEN}. */
    public int infillPadding() {
        return special(SpecialToken.FIM_PAD);
    }

    /** Introduces a repository's name in infill prompts, or {@link #NO_TOKEN}. */
    public int infillRepository() {
        return special(SpecialToken.FIM_REPOSITORY);
    }

    /** Introduces a file's name in infill prompts, or {@link #NO_TOKEN}. */
    public int infillFileSeparator() {
        return special(SpecialToken.FIM_SEPARATOR);
    }

    /** Whether {@code tokenize} with {@code addSpecial} puts BOS in front. */
    public boolean addsBos() {
        return query(binding::vocabAddsBos);
    }

    /** Whether {@code tokenize} with {@code addSpecial} puts EOS at the end. */
    public boolean addsEos() {
        return query(binding::vocabAddsEos);
    }

    /** Whether the model wants a separator between two texts. */
    public boolean addsSeparator() {
        return query(binding::vocabAddsSep);
    }

    /** Tokens that the model's author wants never to be generated. */
    public int[] suppressedTokens() {
        return query(binding::vocabSuppressedTokens);
    }

    /** Enters the model, to be left by {@code model.exit()}; returns the vocabulary's address. */
    long enter() {
        model.enter();
        return address;
    }

    void exit() {
        model.exit();
    }

    private int special(SpecialToken role) {
        return query(vocab -> binding.vocabSpecial(vocab, role));
    }

    private <T> T ask(int token, LongFunction<T> question) {
        Require.index("token", token, size);
        return query(question);
    }

    private <T> T query(LongFunction<T> question) {
        long vocab = enter();
        try {
            return question.apply(vocab);
        } finally {
            model.exit();
        }
    }
}
