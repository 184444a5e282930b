package org.panallama;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** A template of llama.cpp's list, which it recognises by its text or name and writes by its own code. */
final class BuiltinTemplate implements TemplateWriter {

    private final String source;
    private final String origin;
    private final boolean systemRole;

    /**
     * @param origin names the template at the beginning of a sentence
     * @throws LlamaException if llama.cpp does not know it
     */
    BuiltinTemplate(String source, String origin) {
        this.source = source;
        this.origin = origin;
        String written = write(List.of(ChatMessage.system("\uE000"), ChatMessage.user("\uE001")), true);
        int system = written.indexOf('\uE000');
        int user = written.indexOf('\uE001');
        this.systemRole = system >= 0
                && user > system
                && !written.substring(system + 1, user).isBlank();
    }

    @Override
    public String write(List<ChatMessage> messages, boolean addAssistant) {
        String[] roles = messages.stream().map(ChatMessage::role).toArray(String[]::new);
        String[] contents = messages.stream().map(ChatMessage::content).toArray(String[]::new);
        byte[] utf8 = Llama.binding().applyChatTemplate(source, roles, contents, addAssistant);
        if (utf8 == null) {
            throw new LlamaException(origin + " is none that llama.cpp knows: '" + ChatTemplate.start(source)
                    + "'. Choose the one that the model was trained with from Llama.builtinChatTemplates() and pass its name to"
                    + " ChatTemplate.of(): " + String.join(", ", Llama.builtinChatTemplates()));
        }
        return new String(utf8, StandardCharsets.UTF_8);
    }

    @Override
    public boolean supportsSystemRole() {
        return systemRole;
    }

    @Override
    public boolean looksIntoAnswers() {
        return false;
    }
}
