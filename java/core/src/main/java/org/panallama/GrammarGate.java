package org.panallama;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.panallama.GrammarTrigger.Constrained;
import org.panallama.internal.GrammarCheck;
import org.panallama.internal.GrammarState;
import org.panallama.spi.Binding;

/**
 * A grammar that is asked before it is told: llama.cpp ends the process when its grammar is made to accept a token that it does
 * not allow. It is asked twice, since llama.cpp also allows tokens that it cannot accept then (see {@link GrammarState}).
 */
final class GrammarGate {

    private static final int MAX_PIECE = 512; // bytes of a token; llama.cpp's filter takes 500 bytes of stack for each

    private final Binding binding;
    private final Vocab vocab;
    private final long address;
    private final GrammarState start;
    private GrammarState state;
    private @Nullable GrammarTrigger trigger; // as long as it waits for one
    private final @Nullable Grammar lazy;
    private final int[] prefix; // tokens that the prompt ended with, and that the grammar begins with

    /**
     * @param address of the native grammar, which the caller frees
     * @throws GrammarException if the grammar does not begin with its prefix
     */
    GrammarGate(Binding binding, Vocab vocab, Grammar grammar, GrammarState start, long address) {
        this.binding = binding;
        this.vocab = vocab;
        this.address = address;
        this.start = start;
        this.state = start;
        this.lazy = grammar.isLazy() ? grammar : null;
        this.trigger = grammar.isLazy() ? new GrammarTrigger(grammar, vocab) : null;
        this.prefix = prefix(grammar.prefix());
        acceptPrefix();
    }

    /** A copy for a copy of the native grammar. */
    GrammarGate(GrammarGate original, long address) {
        this.binding = original.binding;
        this.vocab = original.vocab;
        this.address = address;
        this.start = original.start;
        this.state = original.state;
        this.lazy = original.lazy;
        this.trigger = original.trigger == null ? null : original.trigger.copy();
        this.prefix = original.prefix;
    }

    private int[] prefix(String text) {
        int[] tokens = vocab.tokenize(text, false, true);
        ByteArrayOutputStream spelled = new ByteArrayOutputStream();
        for (int token : tokens) {
            spelled.writeBytes(vocab.bytesOf(token, true));
        }
        // SentencePiece puts a space in front of a text, which the prompt does not have here.
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return Arrays.equals(spelled.toByteArray(), utf8) ? tokens : spell(utf8);
    }

    private void acceptPrefix() {
        for (int token : prefix) {
            advance(token);
        }
    }

    /**
     * Checks a grammar, before llama.cpp sees it.
     *
     * @throws GrammarException if the grammar is malformed, or cannot be used with this vocabulary
     */
    static GrammarState check(Vocab vocab, Grammar grammar) {
        if (vocab.type() == VocabType.NONE) {
            throw new GrammarException("a grammar needs a vocabulary, and the model has none");
        }
        if (vocab.longestPiece() > MAX_PIECE) {
            throw new GrammarException("the model has a token of " + vocab.longestPiece()
                    + " bytes; grammars work with tokens of up to " + MAX_PIECE);
        }
        return GrammarCheck.check(grammar.rules(), grammar.root(), text -> {
            int[] tokens = vocab.tokenize(text, false, true);
            return tokens.length == 1 ? tokens[0] : Vocab.NO_TOKEN;
        });
    }

    /** The native grammar. */
    static long create(Binding binding, long vocab, Grammar grammar) {
        long address = binding.samplerGrammar(vocab, grammar.rules(), grammar.root());
        if (address == 0) {
            throw new GrammarException("llama.cpp refuses the grammar: " + grammar.rules());
        }
        return address;
    }

    /** Whether it restricts the next token. */
    boolean isOpen() {
        return trigger == null;
    }

    /** Whether the next token may be this one. */
    boolean allows(int token) {
        return after(state, token) != null && nativeAllows(token);
    }

    /**
     * Leaves the candidates that it allows.
     *
     * @return whether there are any
     */
    boolean filter(long candidates) {
        binding.samplerApply(address, candidates);
        int size = Math.toIntExact(binding.candidatesSize(candidates));
        ByteBuffer entries = binding.view(binding.candidatesData(candidates), size * Candidates.ENTRY_BYTES);
        int kept = 0;
        for (int entry = 0; entry < size * Candidates.ENTRY_BYTES; entry += Candidates.ENTRY_BYTES) {
            int token = entries.getInt(entry);
            float logit = entries.getFloat(entry + Candidates.LOGIT);
            if (logit != Float.NEGATIVE_INFINITY && (!state.refersToTokens() || after(state, token) != null)) {
                entries.putInt(kept, token);
                entries.putFloat(kept + Candidates.LOGIT, logit);
                kept += Candidates.ENTRY_BYTES;
            }
        }
        binding.candidatesReset(candidates, kept / Candidates.ENTRY_BYTES);
        return kept > 0;
    }

    /**
     * Goes on with a token.
     *
     * @throws GrammarException if it does not allow the token, or the text from its trigger on; its state has not changed then
     */
    void accept(int token) {
        GrammarTrigger waiting = trigger;
        if (waiting == null) {
            advance(token);
            return;
        }
        Constrained constrained = waiting.append(token);
        if (constrained == null) {
            return;
        }
        boolean followed = false;
        try {
            for (int piece : spell(constrained.bytes())) {
                advance(piece);
            }
            for (int piece : constrained.tokens()) {
                advance(piece);
            }
            followed = true;
            trigger = null;
        } finally {
            if (!followed) {
                waiting.undo();
                restart();
            }
        }
    }

    void reset() {
        restart();
        acceptPrefix();
        trigger = lazy == null ? null : new GrammarTrigger(lazy, vocab);
    }

    private void restart() {
        binding.samplerReset(address);
        state = start;
    }

    private void advance(int token) {
        GrammarState next = after(state, token);
        if (next == null || !nativeAllows(token)) {
            throw new GrammarException(
                    "the grammar does not allow token " + token + " (\"" + vocab.piece(token) + "\") here");
        }
        binding.samplerAccept(address, token);
        state = next;
    }

    private @Nullable GrammarState after(GrammarState from, int token) {
        if (vocab.isEndOfGeneration(token)) {
            return from.mayEnd() ? from : null;
        }
        return from.after(token, vocab.bytesOf(token, true));
    }

    private boolean nativeAllows(int token) {
        long single = binding.candidatesNew(1);
        try {
            binding.candidatesReset(single, 1);
            ByteBuffer entry = binding.view(binding.candidatesData(single), Candidates.ENTRY_BYTES);
            entry.putInt(0, token);
            entry.putFloat(Candidates.LOGIT, 0);
            binding.samplerApply(address, single);
            return entry.getFloat(Candidates.LOGIT) != Float.NEGATIVE_INFINITY;
        } finally {
            binding.candidatesFree(single);
        }
    }

    /** Bytes as the longest tokens that they consist of. */
    private int[] spell(byte[] bytes) {
        int[] tokens = new int[bytes.length];
        int count = 0;
        for (int from = 0; from < bytes.length; count++) {
            int longest = 0;
            for (int token = 0; token < vocab.size(); token++) {
                int length = vocab.bytesOf(token, false).length;
                if (length > longest
                        && length <= bytes.length - from
                        && Arrays.equals(vocab.bytesOf(token, false), 0, length, bytes, from, from + length)
                        && !vocab.isEndOfGeneration(token)) {
                    longest = length;
                    tokens[count] = token;
                }
            }
            if (longest == 0) {
                throw new GrammarException(
                        String.format(Locale.ROOT, "the vocabulary has no token for byte 0x%02X", bytes[from]));
            }
            from += longest;
        }
        return Arrays.copyOf(tokens, count);
    }
}
