package org.panallama;

import java.util.List;

/** Writes conversations in one template's form. */
interface TemplateWriter {

    /**
     * @param addAssistant whether to add what introduces the assistant's next message
     * @throws LlamaException if the template cannot be written
     */
    String write(List<ChatMessage> messages, boolean addAssistant);

    /** Whether it has a place for a system message. */
    boolean supportsSystemRole();

    /** Whether contents of the assistant are written as they are, or looked into. */
    boolean looksIntoAnswers();
}
