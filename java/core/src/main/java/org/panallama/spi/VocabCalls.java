package org.panallama.spi;

import org.jspecify.annotations.Nullable;

/** {@code llama_vocab_*}, tokenization and llama.cpp's built-in chat templates. */
public interface VocabCalls {

    /** {@code llama_vocab_type}. */
    int vocabType(long vocab);

    int vocabSize(long vocab);

    String vocabText(long vocab, int token);

    float vocabScore(long vocab, int token);

    /** {@code llama_vocab_get_attr}: a bit set of {@code llama_token_attr}. */
    int vocabAttributes(long vocab, int token);

    boolean vocabIsEndOfGeneration(long vocab, int token);

    boolean vocabIsControl(long vocab, int token);

    /** A token with a role, or -1; see {@link SpecialToken}. */
    int vocabSpecial(long vocab, SpecialToken role);

    boolean vocabAddsBos(long vocab);

    boolean vocabAddsEos(long vocab);

    boolean vocabAddsSep(long vocab);

    int[] vocabSuppressedTokens(long vocab);

    /** {@code llama_tokenize} of UTF-8 text, which may contain NUL. */
    int[] tokenize(long vocab, byte[] utf8, boolean addSpecial, boolean parseSpecial);

    /** {@code llama_token_to_piece} with no leading-space stripping. */
    byte[] tokenToPiece(long vocab, int token, boolean special);

    /** {@code llama_detokenize}. */
    byte[] detokenize(long vocab, int[] tokens, boolean removeSpecial, boolean unparseSpecial);

    /**
     * {@code llama_chat_apply_template}.
     *
     * @return the prompt as UTF-8, or {@code null} if llama.cpp does not know the template
     */
    byte @Nullable [] applyChatTemplate(String template, String[] roles, String[] contents, boolean addAssistant);

    /** {@code llama_chat_builtin_templates}. */
    String[] builtinChatTemplates();
}
