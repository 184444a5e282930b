package org.panallama;

import java.util.Objects;
import java.util.regex.Pattern;

/**
 * One message of a conversation.
 *
 * @param role who speaks: {@link #SYSTEM}, {@link #USER}, {@link #ASSISTANT}, or what else a template knows
 * @param content the text
 */
public record ChatMessage(String role, String content) {

    /** Role of instructions that hold for the whole conversation. */
    public static final String SYSTEM = "system";

    /** Role of the one who asks. */
    public static final String USER = "user";

    /** Role of the model. */
    public static final String ASSISTANT = "assistant";

    private static final Pattern ROLE = Pattern.compile("[A-Za-z0-9_-]+");

    /**
     * @throws IllegalArgumentException if the role is not made of ASCII letters, digits, {@code _} and {@code -}; it is written
     *     into the prompt as it stands
     */
    public ChatMessage {
        Objects.requireNonNull(content, "content");
        if (!ROLE.matcher(role).matches()) {
            throw new IllegalArgumentException("role is '" + role + "', must be a word, as " + SYSTEM + ", " + USER
                    + " and " + ASSISTANT + " are");
        }
    }

    public static ChatMessage system(String content) {
        return new ChatMessage(SYSTEM, content);
    }

    public static ChatMessage user(String content) {
        return new ChatMessage(USER, content);
    }

    public static ChatMessage assistant(String content) {
        return new ChatMessage(ASSISTANT, content);
    }
}
