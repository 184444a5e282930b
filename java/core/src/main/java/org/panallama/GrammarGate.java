package org.panallama;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.GrammarCheck;
import org.panallama.internal.Utf8Decoder;
import org.panallama.spi.Binding;

/**
 * A grammar that is asked before it is told: llama.cpp ends the process when its grammar is made to accept a token that it does
 * not allow. A lazy grammar waits for its trigger here, in Java, for the same reason.
 */
final class GrammarGate {

    private static final int ENTRY_BYTES = 12; // int token, float logit, float probability
    private static final int LOGIT = 4;
    private static final int MAX_PIECE = 64; // bytes of the longest token that is tried

    private final Binding binding;
    private final Vocab vocab;
    private final Grammar grammar;
    private final long address;
    private boolean open;
    private StringBuilder text = new StringBuilder(); // generated while waiting for the trigger
    private Utf8Decoder decoder = new Utf8Decoder();
    private @Nullable Map<String, Integer> tokensByBytes;

    GrammarGate(Binding binding, Vocab vocab, Grammar grammar, long address) {
        this.binding = binding;
        this.vocab = vocab;
        this.grammar = grammar;
        this.address = address;
        this.open = !grammar.isLazy();
    }

    /**
     * The native grammar.
     *
     * @throws GrammarException if the grammar is malformed
     */
    static long create(Binding binding, long vocab, Grammar grammar) {
        GrammarCheck.check(grammar.rules(), grammar.root());
        long address = binding.samplerGrammar(vocab, grammar.rules(), grammar.root());
        if (address == 0) {
            throw new GrammarException("llama.cpp refuses the grammar: " + grammar.rules());
        }
        return address;
    }

    GrammarGate copy(long copyAddress) {
        GrammarGate copy = new GrammarGate(binding, vocab, grammar, copyAddress);
        copy.open = open;
        copy.text = new StringBuilder(text);
        copy.decoder = decoder.copy();
        return copy;
    }

    /** Whether it restricts the next token. */
    boolean isOpen() {
        return open;
    }

    /** Whether the next token may be this one. */
    boolean allows(int token) {
        long single = binding.candidatesNew(1);
        try {
            binding.candidatesReset(single, 1);
            ByteBuffer entry = binding.view(binding.candidatesData(single), ENTRY_BYTES);
            entry.putInt(0, token);
            entry.putFloat(LOGIT, 0);
            binding.samplerApply(address, single);
            return entry.getFloat(LOGIT) != Float.NEGATIVE_INFINITY;
        } finally {
            binding.candidatesFree(single);
        }
    }

    /** Rules out the candidates that it does not allow. */
    void filter(long candidates) {
        binding.samplerApply(address, candidates);
    }

    /**
     * Goes on with a token.
     *
     * @throws GrammarException if it does not allow the token; its state has not changed then
     */
    void accept(int token) {
        if (open) {
            advance(token);
        } else if (grammar.triggerTokens().contains(token)) {
            open = true;
            advance(token);
        } else {
            await(token);
        }
    }

    void reset() {
        binding.samplerReset(address);
        open = !grammar.isLazy();
        text.setLength(0);
        decoder = new Utf8Decoder();
    }

    private void advance(int token) {
        if (!allows(token)) {
            throw new GrammarException(
                    "the grammar does not allow token " + token + " (\"" + vocab.piece(token) + "\") here");
        }
        binding.samplerAccept(address, token);
    }

    private void await(int token) {
        text.append(decoder.decode(vocab.bytesOf(token, true)));
        for (Pattern trigger : grammar.triggers()) {
            Matcher matcher = trigger.matcher(text);
            if (matcher.find()) {
                boolean group = matcher.groupCount() > 0 && matcher.start(1) >= 0;
                String constrained = text.substring(group ? matcher.start(1) : matcher.start());
                open = true;
                text.setLength(0);
                replay(constrained);
                return;
            }
        }
    }

    /** Feeds text that was generated before the grammar set in: as the longest tokens that spell its bytes. */
    private void replay(String constrained) {
        String bytes = latin1(constrained.getBytes(StandardCharsets.UTF_8));
        Map<String, Integer> spelled = tokensByBytes();
        int from = 0;
        while (from < bytes.length()) {
            int to = Math.min(bytes.length(), from + MAX_PIECE);
            while (to > from && !spelled.containsKey(bytes.substring(from, to))) {
                to--;
            }
            if (to == from) {
                throw new GrammarException("the vocabulary has no token for a byte of \"" + constrained + "\"");
            }
            advance(spelled.get(bytes.substring(from, to)));
            from = to;
        }
    }

    private Map<String, Integer> tokensByBytes() {
        Map<String, Integer> map = tokensByBytes;
        if (map == null) {
            map = new HashMap<>();
            for (int token = 0; token < vocab.size(); token++) {
                map.putIfAbsent(latin1(vocab.bytesOf(token, false)), token);
            }
            map.remove("");
            tokensByBytes = map;
        }
        return map;
    }

    private static String latin1(byte[] bytes) {
        return new String(bytes, StandardCharsets.ISO_8859_1);
    }
}
