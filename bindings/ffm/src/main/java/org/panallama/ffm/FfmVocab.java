package org.panallama.ffm;

import static org.panallama.ffm.NativeMemory.pointer;
import static org.panallama.ffm.NativeMemory.text;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;
import org.panallama.ffm.generated.llama_chat_message;
import org.panallama.ffm.generated.llama_h;
import org.panallama.spi.SpecialToken;
import org.panallama.spi.VocabCalls;

abstract class FfmVocab extends FfmQuantization implements VocabCalls {

    /** No piece of a common vocabulary is longer; one that is costs a second call. */
    private static final int PIECE_BYTES = 128;

    @Override
    public int vocabType(long vocab) {
        return llama_h.llama_vocab_type(pointer(vocab));
    }

    @Override
    public int vocabSize(long vocab) {
        return llama_h.llama_vocab_n_tokens(pointer(vocab));
    }

    @Override
    public String vocabText(long vocab, int token) {
        return text(llama_h.llama_vocab_get_text(pointer(vocab), token));
    }

    @Override
    public float vocabScore(long vocab, int token) {
        return llama_h.llama_vocab_get_score(pointer(vocab), token);
    }

    @Override
    public int vocabAttributes(long vocab, int token) {
        return llama_h.llama_vocab_get_attr(pointer(vocab), token);
    }

    @Override
    public boolean vocabIsEndOfGeneration(long vocab, int token) {
        return TokenFunctions.isEndOfGeneration(vocab, token);
    }

    @Override
    public boolean vocabIsControl(long vocab, int token) {
        return llama_h.llama_vocab_is_control(pointer(vocab), token);
    }

    @Override
    public int vocabSpecial(long vocab, SpecialToken role) {
        MemorySegment pointer = pointer(vocab);
        return switch (role) {
            case BOS -> llama_h.llama_vocab_bos(pointer);
            case EOS -> llama_h.llama_vocab_eos(pointer);
            case EOT -> llama_h.llama_vocab_eot(pointer);
            case SEP -> llama_h.llama_vocab_sep(pointer);
            case NEWLINE -> llama_h.llama_vocab_nl(pointer);
            case PAD -> llama_h.llama_vocab_pad(pointer);
            case MASK -> llama_h.llama_vocab_mask(pointer);
            case FIM_PREFIX -> llama_h.llama_vocab_fim_pre(pointer);
            case FIM_SUFFIX -> llama_h.llama_vocab_fim_suf(pointer);
            case FIM_MIDDLE -> llama_h.llama_vocab_fim_mid(pointer);
            case FIM_PAD -> llama_h.llama_vocab_fim_pad(pointer);
            case FIM_REPOSITORY -> llama_h.llama_vocab_fim_rep(pointer);
            case FIM_SEPARATOR -> llama_h.llama_vocab_fim_sep(pointer);
        };
    }

    @Override
    public boolean vocabAddsBos(long vocab) {
        return llama_h.llama_vocab_get_add_bos(pointer(vocab));
    }

    @Override
    public boolean vocabAddsEos(long vocab) {
        return llama_h.llama_vocab_get_add_eos(pointer(vocab));
    }

    @Override
    public boolean vocabAddsSep(long vocab) {
        return llama_h.llama_vocab_get_add_sep(pointer(vocab));
    }

    @Override
    public int[] vocabSuppressedTokens(long vocab) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
            MemorySegment tokens = llama_h.llama_vocab_get_suppress_tokens(pointer(vocab), count);
            return tokens.asSlice(0, (long) count.get(ValueLayout.JAVA_INT, 0) * Integer.BYTES)
                    .toArray(ValueLayout.JAVA_INT);
        }
    }

    @Override
    public int[] tokenize(long vocab, byte[] utf8, boolean addSpecial, boolean parseSpecial) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocateFrom(ValueLayout.JAVA_BYTE, utf8);
            // A token is at least a byte, save those that the vocabulary adds at either end.
            int guess = (int) Math.min(utf8.length + 2L, Integer.MAX_VALUE);
            return NativeMemory.ints(
                    guess,
                    (tokens, capacity) -> llama_h.llama_tokenize(
                            pointer(vocab), text, utf8.length, tokens, capacity, addSpecial, parseSpecial));
        }
    }

    @Override
    public byte[] tokenToPiece(long vocab, int token, boolean special) {
        return NativeMemory.bytes(
                PIECE_BYTES,
                (piece, capacity) -> llama_h.llama_token_to_piece(pointer(vocab), token, piece, capacity, 0, special));
    }

    @Override
    public byte[] detokenize(long vocab, int[] tokens, boolean removeSpecial, boolean unparseSpecial) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ids = arena.allocateFrom(ValueLayout.JAVA_INT, tokens);
            int guess = (int) Math.min(PIECE_BYTES + 8L * tokens.length, Integer.MAX_VALUE);
            return NativeMemory.bytes(
                    guess,
                    (text, capacity) -> llama_h.llama_detokenize(
                            pointer(vocab), ids, tokens.length, text, capacity, removeSpecial, unparseSpecial));
        }
    }

    @Override
    public byte @Nullable [] applyChatTemplate(
            String template, String[] roles, String[] contents, boolean addAssistant) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment source = text(arena, template);
            MemorySegment messages = llama_chat_message.allocateArray(roles.length, arena);
            for (int i = 0; i < roles.length; i++) {
                MemorySegment message = llama_chat_message.asSlice(messages, i);
                llama_chat_message.role(message, text(arena, roles[i]));
                llama_chat_message.content(message, text(arena, contents[i]));
            }
            int length = llama_h.llama_chat_apply_template(
                    source, messages, roles.length, addAssistant, MemorySegment.NULL, 0);
            if (length < 0) {
                return null;
            }
            MemorySegment prompt = arena.allocate(length);
            llama_h.llama_chat_apply_template(source, messages, roles.length, addAssistant, prompt, length);
            return prompt.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    @Override
    public String[] builtinChatTemplates() {
        try (Arena arena = Arena.ofConfined()) {
            int count = llama_h.llama_chat_builtin_templates(MemorySegment.NULL, 0);
            MemorySegment names = arena.allocate(llama_h.C_POINTER, count);
            llama_h.llama_chat_builtin_templates(names, count);
            String[] templates = new String[count];
            for (int i = 0; i < count; i++) {
                templates[i] = text(names.getAtIndex(llama_h.C_POINTER, i));
            }
            return templates;
        }
    }
}
