package org.panallama.jna;

import static org.panallama.jna.NativeMemory.ALL;
import static org.panallama.jna.NativeMemory.POINTER_BYTES;
import static org.panallama.jna.NativeMemory.bool;
import static org.panallama.jna.NativeMemory.text;
import static org.panallama.jna.NativeMemory.utf8;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.panallama.spi.SpecialToken;
import org.panallama.spi.VocabCalls;

abstract class JnaVocab extends JnaQuantization implements VocabCalls {

    /** No piece of a common vocabulary is longer; one that is costs a second call. */
    private static final int PIECE_BYTES = 128;

    @Override
    public int vocabType(long vocab) {
        return LlamaFunctions.llama_vocab_type(vocab);
    }

    @Override
    public int vocabSize(long vocab) {
        return LlamaFunctions.llama_vocab_n_tokens(vocab);
    }

    @Override
    public String vocabText(long vocab, int token) {
        return text(LlamaFunctions.llama_vocab_get_text(vocab, token));
    }

    @Override
    public float vocabScore(long vocab, int token) {
        return LlamaFunctions.llama_vocab_get_score(vocab, token);
    }

    @Override
    public int vocabAttributes(long vocab, int token) {
        return LlamaFunctions.llama_vocab_get_attr(vocab, token);
    }

    @Override
    public boolean vocabIsEndOfGeneration(long vocab, int token) {
        return LlamaFunctions.llama_vocab_is_eog(vocab, token) != 0;
    }

    @Override
    public boolean vocabIsControl(long vocab, int token) {
        return LlamaFunctions.llama_vocab_is_control(vocab, token) != 0;
    }

    @Override
    public int vocabSpecial(long vocab, SpecialToken role) {
        return switch (role) {
            case BOS -> LlamaFunctions.llama_vocab_bos(vocab);
            case EOS -> LlamaFunctions.llama_vocab_eos(vocab);
            case EOT -> LlamaFunctions.llama_vocab_eot(vocab);
            case SEP -> LlamaFunctions.llama_vocab_sep(vocab);
            case NEWLINE -> LlamaFunctions.llama_vocab_nl(vocab);
            case PAD -> LlamaFunctions.llama_vocab_pad(vocab);
            case MASK -> LlamaFunctions.llama_vocab_mask(vocab);
            case FIM_PREFIX -> LlamaFunctions.llama_vocab_fim_pre(vocab);
            case FIM_SUFFIX -> LlamaFunctions.llama_vocab_fim_suf(vocab);
            case FIM_MIDDLE -> LlamaFunctions.llama_vocab_fim_mid(vocab);
            case FIM_PAD -> LlamaFunctions.llama_vocab_fim_pad(vocab);
            case FIM_REPOSITORY -> LlamaFunctions.llama_vocab_fim_rep(vocab);
            case FIM_SEPARATOR -> LlamaFunctions.llama_vocab_fim_sep(vocab);
        };
    }

    @Override
    public boolean vocabAddsBos(long vocab) {
        return LlamaFunctions.llama_vocab_get_add_bos(vocab) != 0;
    }

    @Override
    public boolean vocabAddsEos(long vocab) {
        return LlamaFunctions.llama_vocab_get_add_eos(vocab) != 0;
    }

    @Override
    public boolean vocabAddsSep(long vocab) {
        return LlamaFunctions.llama_vocab_get_add_sep(vocab) != 0;
    }

    @Override
    public int[] vocabSuppressedTokens(long vocab) {
        int[] count = new int[1];
        long tokens = LlamaFunctions.llama_vocab_get_suppress_tokens(vocab, count);
        return NativeMemory.ints(tokens, count[0]);
    }

    @Override
    public int[] tokenize(long vocab, byte[] utf8, boolean addSpecial, boolean parseSpecial) {
        // A token is at least a byte, save those that the vocabulary adds at either end.
        int guess = (int) Math.min(utf8.length + 2L, Integer.MAX_VALUE - 8);
        return NativeMemory.ints(
                guess,
                (tokens, capacity) -> LlamaFunctions.llama_tokenize(
                        vocab, utf8, utf8.length, tokens, capacity, bool(addSpecial), bool(parseSpecial)));
    }

    @Override
    public byte[] tokenToPiece(long vocab, int token, boolean special) {
        return NativeMemory.bytes(
                PIECE_BYTES,
                (piece, capacity) ->
                        LlamaFunctions.llama_token_to_piece(vocab, token, piece, capacity, 0, bool(special)));
    }

    @Override
    public byte[] detokenize(long vocab, int[] tokens, boolean removeSpecial, boolean unparseSpecial) {
        int guess = (int) Math.min(PIECE_BYTES + 8L * tokens.length, Integer.MAX_VALUE - 8);
        return NativeMemory.bytes(
                guess,
                (text, capacity) -> LlamaFunctions.llama_detokenize(
                        vocab, tokens, tokens.length, text, capacity, bool(removeSpecial), bool(unparseSpecial)));
    }

    @Override
    public byte @Nullable [] applyChatTemplate(
            String template, String[] roles, String[] contents, boolean addAssistant) {
        try (NativeArena arena = new NativeArena()) {
            byte[] source = utf8(template);
            // llama_chat_message has two pointers.
            long messages = arena.allocate((long) roles.length * 2 * POINTER_BYTES);
            for (int i = 0; i < roles.length; i++) {
                long message = messages + (long) i * 2 * POINTER_BYTES;
                ALL.setLong(message, arena.text(roles[i]));
                ALL.setLong(message + POINTER_BYTES, arena.text(contents[i]));
            }
            int length = LlamaFunctions.llama_chat_apply_template(
                    source, messages, roles.length, bool(addAssistant), null, 0);
            if (length < 0) {
                return null;
            }
            byte[] prompt = new byte[length];
            LlamaFunctions.llama_chat_apply_template(
                    source, messages, roles.length, bool(addAssistant), prompt, length);
            return prompt;
        }
    }

    @Override
    public String[] builtinChatTemplates() {
        int count = LlamaFunctions.llama_chat_builtin_templates(null, 0);
        long[] names = new long[count];
        LlamaFunctions.llama_chat_builtin_templates(names, count);
        return Arrays.stream(names).mapToObj(NativeMemory::text).toArray(String[]::new);
    }
}
