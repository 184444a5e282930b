package org.panallama.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.panallama.spi.BindingUnderTest.BINDING;
import static org.panallama.spi.BindingUnderTest.loadModel;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What every binding must do with {@code libpanallama-chat}. */
@Tag("native")
class ChatContractTest {

    private static final String TEMPLATE = "{{ bos_token }}{% for message in messages %}<{{ message.role }}>"
            + "{{ message.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";

    private static final String REQUEST = "{\"messages\": [{\"role\": \"user\", \"content\": \"你好\"}]}";

    @Test
    void isThere() {
        assertThat(BINDING.chatUnavailabilityCause()).isNull();
    }

    @Test
    void writesByATemplate() {
        ChatCalls.ChatTemplates templates = BINDING.chatTemplatesOpen(0, TEMPLATE, "[B]", "[E]");
        try {
            assertThat(templates.description()).contains("\"source\"", "\"capabilities\"");
            assertThat(BINDING.chatApply(templates.handle(), REQUEST)).contains("[B]<user>你好[E]<assistant>");
        } finally {
            BINDING.chatTemplatesClose(templates.handle());
        }
    }

    @Test
    void writesByTheModelsTemplate() {
        long model = loadModel();
        try {
            ChatCalls.ChatTemplates templates = BINDING.chatTemplatesOpen(model, null, "", "");
            assertThat(BINDING.chatApply(templates.handle(), REQUEST)).contains("[INST] 你好 [/INST]");
            BINDING.chatTemplatesClose(templates.handle());
        } finally {
            BINDING.modelFree(model);
        }
    }

    @Test
    void readsAnAnswer() {
        ChatCalls.ChatTemplates templates = BINDING.chatTemplatesOpen(0, TEMPLATE, "", "");
        String applied = BINDING.chatApply(templates.handle(), REQUEST);
        BINDING.chatTemplatesClose(templates.handle());
        String syntax = applied.substring(applied.indexOf("\"syntax\":\"") + "\"syntax\":\"".length());
        syntax = syntax.substring(0, syntax.indexOf("}\"") + 1)
                .replace("\\\"", "\"")
                .replace("\\\\", "\\");

        long parser = BINDING.chatParserOpen(syntax);
        try {
            assertThat(BINDING.chatParse(parser, "Bon", true)).contains("{\"content\":\"Bon\"}");
            assertThat(BINDING.chatParse(parser, "Bonjour", true)).contains("{\"content\":\"jour\"}");
            assertThat(BINDING.chatParse(parser, "Bonjour !", false)).contains("\"content\":\"Bonjour !\"");
        } finally {
            BINDING.chatParserClose(parser);
        }
    }

    @Test
    void turnsASchemaIntoAGrammar() {
        assertThat(BINDING.chatSchemaToGrammar("{\"type\": \"boolean\"}")).contains("root ::=");
    }

    @Test
    void saysWhatIsWrong() {
        assertThatThrownBy(() -> BINDING.chatTemplatesOpen(0, "{% if %}", "", ""))
                .isInstanceOf(IllegalArgumentException.class)
                .message()
                .isNotBlank();
        assertThatThrownBy(() -> BINDING.chatTemplatesOpen(0, null, "", ""))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("no chat template");
        assertThatThrownBy(() -> BINDING.chatSchemaToGrammar("[")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> BINDING.chatParserOpen("{}")).isInstanceOf(IllegalArgumentException.class);
    }
}
