package org.panallama;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Turns a conversation into the prompt that a model was trained on. Immutable and thread-safe.
 *
 * <p>llama.cpp recognises a fixed list of well-known templates by their text and writes them by its own code; it does not
 * interpret Jinja. {@link Llama#builtinChatTemplates()} has their names.
 *
 * <p>The contents of messages are put in after llama.cpp has written the template, so nothing in them can change it.
 */
public final class ChatTemplate {

    private static final int SHOWN = 80; // characters of an unknown template in a message

    // A content's place is marked by private-use characters around its index. The tabs tell whether the template trims:
    // no
    // template of llama.cpp writes a tab next to a content.
    private static final char OPEN = '\uE000';
    private static final char CLOSE = '\uE001';
    private static final Pattern PLACE = Pattern.compile("(\t?)" + OPEN + "(\\d+)" + CLOSE + "(\t?)");
    private static final Pattern C_SPACE = Pattern.compile("^[ \t\n\u000B\f\r]+|[ \t\n\u000B\f\r]+$");

    private final String source;
    private final boolean systemRole;

    /**
     * A stretch of a prompt.
     *
     * @param role whose content it is, {@code null} for the template's own text
     */
    record Piece(String text, @Nullable String role) {

        boolean isLiteral() {
            return role == null;
        }

        boolean isAnswer() {
            return ChatMessage.ASSISTANT.equals(role);
        }
    }

    private ChatTemplate(String source, String origin) {
        this.source = Require.noNul("template", source);
        List<Piece> probe = pieces(List.of(ChatMessage.system("s"), ChatMessage.user("u")), true, origin);
        this.systemRole = hasSystemRole(probe);
    }

    /**
     * The template in the model's file.
     *
     * @throws LlamaException if the file has none, or one that llama.cpp does not know
     */
    public static ChatTemplate of(Model model) {
        String source = model.chatTemplate()
                .orElseThrow(() -> new LlamaException(model + " has no chat template. " + wayOut()));
        return new ChatTemplate(source, "The chat template of " + model);
    }

    /**
     * A template by name or text.
     *
     * @param nameOrSource one of {@link Llama#builtinChatTemplates()}, or the text of a Jinja template
     * @throws LlamaException if llama.cpp does not know it
     */
    public static ChatTemplate of(String nameOrSource) {
        return new ChatTemplate(nameOrSource, "The chat template");
    }

    private static String wayOut() {
        return "Choose the one that the model was trained with from Llama.builtinChatTemplates() and pass its name to"
                + " ChatTemplate.of(): "
                + String.join(", ", Llama.builtinChatTemplates());
    }

    /**
     * Writes a conversation. Tokenized as one text, contents that read like special tokens become these; {@link ChatSession}
     * tells them apart.
     *
     * @param messages in their order; what the template has no role for is left out, except that a system message goes in front
     *     of the next user's if {@link #supportsSystemRole()} is false
     * @param addAssistant whether to add what introduces the assistant's next message
     * @return the prompt without the BOS that tokenizing adds
     */
    public String render(List<ChatMessage> messages, boolean addAssistant) {
        StringBuilder prompt = new StringBuilder();
        for (Piece piece : pieces(messages, addAssistant)) {
            prompt.append(piece.text);
        }
        return prompt.toString();
    }

    /**
     * Whether the template sets a system message apart. If not, {@link #render} puts it into the first user's message that
     * follows, with an empty line between them.
     */
    public boolean supportsSystemRole() {
        return systemRole;
    }

    /** The prompt in pieces, contents apart from the template's own text. */
    List<Piece> pieces(List<ChatMessage> messages, boolean addAssistant) {
        return pieces(systemRole ? messages : folded(messages), addAssistant, "The chat template");
    }

    private List<Piece> pieces(List<ChatMessage> messages, boolean addAssistant, String origin) {
        String[] roles = new String[messages.size()];
        String[] places = new String[messages.size()];
        for (int i = 0; i < roles.length; i++) {
            roles[i] = messages.get(i).role();
            places[i] = "\t" + OPEN + i + CLOSE + "\t";
        }
        byte[] utf8 = Llama.binding().applyChatTemplate(source, roles, places, addAssistant);
        if (utf8 == null) {
            String start = source.length() <= SHOWN ? source : source.substring(0, SHOWN) + "...";
            throw new LlamaException(origin + " is none that llama.cpp knows: '" + start + "'. " + wayOut());
        }
        return split(new String(utf8, StandardCharsets.UTF_8), messages);
    }

    private static List<Piece> split(String written, List<ChatMessage> messages) {
        List<Piece> pieces = new ArrayList<>();
        Matcher place = PLACE.matcher(written);
        int end = 0;
        while (place.find()) {
            if (place.start() > end) {
                pieces.add(new Piece(written.substring(end, place.start()), null));
            }
            ChatMessage message = messages.get(Integer.parseInt(place.group(2)));
            boolean trimmed = place.group(1).isEmpty() || place.group(3).isEmpty();
            String content = message.content();
            pieces.add(new Piece(trimmed ? C_SPACE.matcher(content).replaceAll("") : content, message.role()));
            end = place.end();
        }
        if (end < written.length()) {
            pieces.add(new Piece(written.substring(end), null));
        }
        return List.copyOf(pieces);
    }

    /** By a system message and a user's: both have to be there with something between them. */
    private static boolean hasSystemRole(List<Piece> probe) {
        StringBuilder between = new StringBuilder();
        boolean inSystem = false;
        for (Piece piece : probe) {
            if (ChatMessage.SYSTEM.equals(piece.role)) {
                inSystem = true;
            } else if (ChatMessage.USER.equals(piece.role)) {
                break;
            } else if (inSystem) {
                between.append(piece.text);
            }
        }
        return !between.toString().isBlank();
    }

    private static List<ChatMessage> folded(List<ChatMessage> messages) {
        List<ChatMessage> folded = new ArrayList<>();
        StringBuilder system = new StringBuilder();
        for (ChatMessage message : messages) {
            if (message.role().equals(ChatMessage.SYSTEM)) {
                system.append(message.content()).append("\n\n");
            } else if (message.role().equals(ChatMessage.USER)) {
                folded.add(ChatMessage.user(system + message.content()));
                system.setLength(0);
            } else {
                folded.add(message);
            }
        }
        if (system.length() > 0) {
            folded.add(ChatMessage.user(system.toString().strip()));
        }
        return folded;
    }

    @Override
    public String toString() {
        return "chat template " + (source.length() <= SHOWN ? source : source.substring(0, SHOWN) + "...");
    }
}
