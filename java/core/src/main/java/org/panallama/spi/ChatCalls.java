package org.panallama.spi;

import org.jspecify.annotations.Nullable;

/**
 * {@code libpanallama-chat}: Jinja templates, the syntax of answers, JSON schemas. Its header, {@code panallama_chat.h}, says
 * what the JSON is. Where a call fails, it throws {@link IllegalArgumentException} with the library's message.
 */
public interface ChatCalls {

    /**
     * A model's parsed templates.
     *
     * @param handle to be closed
     * @param description JSON: {@code source}, {@code capabilities}
     */
    record ChatTemplates(long handle, String description) {}

    /** Why none of these calls can be made, or {@code null} if they can; they throw {@link IllegalStateException} then. */
    @Nullable String chatUnavailabilityCause();

    /**
     * {@code panallama_chat_templates_open}.
     *
     * @param model gives the special tokens, and the templates if {@code source} is {@code null}; outlives the handle; 0 for none
     */
    ChatTemplates chatTemplatesOpen(long model, @Nullable String source, String bos, String eos);

    void chatTemplatesClose(long templates);

    /** {@code panallama_chat_apply}: one thread at a time computes with a handle, others wait. */
    String chatApply(long templates, String request);

    /** {@code panallama_chat_parser_open}. */
    long chatParserOpen(String syntax);

    void chatParserClose(long parser);

    /** {@code panallama_chat_parse}, for one thread at a time. */
    String chatParse(long parser, String text, boolean partial);

    /** {@code panallama_chat_schema_to_grammar}. */
    String chatSchemaToGrammar(String schema);
}
