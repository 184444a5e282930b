package org.panallama.jna;

import static org.panallama.jna.NativeMemory.utf8;
import static org.panallama.jna.NativeMemory.utf8OrNull;

import org.jspecify.annotations.Nullable;
import org.panallama.spi.ChatCalls;

abstract class JnaChat extends JnaVocab implements ChatCalls {

    @Override
    public @Nullable String chatUnavailabilityCause() {
        return ChatFunctions.unavailabilityCause();
    }

    @Override
    public ChatTemplates chatTemplatesOpen(long model, @Nullable String source, String bos, String eos) {
        ChatFunctions.require();
        long[] handle = new long[1];
        long[] result = new long[1];
        int status = ChatFunctions.panallama_chat_templates_open(
                model, utf8OrNull(source), utf8(bos), utf8(eos), handle, result);
        String description = text(status, result);
        return new ChatTemplates(handle[0], description);
    }

    @Override
    public void chatTemplatesClose(long templates) {
        ChatFunctions.require();
        ChatFunctions.panallama_chat_templates_close(templates);
    }

    @Override
    public String chatApply(long templates, String request) {
        ChatFunctions.require();
        long[] result = new long[1];
        return text(ChatFunctions.panallama_chat_apply(templates, utf8(request), result), result);
    }

    @Override
    public long chatParserOpen(String syntax) {
        ChatFunctions.require();
        long[] handle = new long[1];
        long[] result = new long[1];
        text(ChatFunctions.panallama_chat_parser_open(utf8(syntax), handle, result), result);
        return handle[0];
    }

    @Override
    public void chatParserClose(long parser) {
        ChatFunctions.require();
        ChatFunctions.panallama_chat_parser_close(parser);
    }

    @Override
    public String chatParse(long parser, String text, boolean partial) {
        ChatFunctions.require();
        long[] result = new long[1];
        return text(ChatFunctions.panallama_chat_parse(parser, utf8(text), partial ? 1 : 0, result), result);
    }

    @Override
    public String chatSchemaToGrammar(String schema) {
        ChatFunctions.require();
        long[] result = new long[1];
        return text(ChatFunctions.panallama_chat_schema_to_grammar(utf8(schema), result), result);
    }

    /**
     * Takes over the text that a call set.
     *
     * @throws IllegalArgumentException with the library's message, if the call did not work
     */
    private static String text(int status, long[] result) {
        String text = NativeMemory.text(result[0]);
        ChatFunctions.panallama_chat_free(result[0]);
        if (status != 0) {
            throw new IllegalArgumentException(text.isEmpty() ? "no memory is left" : text);
        }
        return text;
    }
}
