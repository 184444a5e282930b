package org.panallama;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.Require;

/**
 * Turns a conversation into the prompt that a model was trained on. Immutable and thread-safe.
 *
 * <p>A model's own Jinja template is interpreted by llama.cpp, tools and thoughts included. On a platform without {@code
 * libpanallama-chat}, and for a template by name, llama.cpp's fixed list of well-known templates is used, which it recognises by
 * their text and writes by its own code; {@link Llama#builtinChatTemplates()} has their names.
 *
 * <p>The contents of messages are put in after llama.cpp has written the template, so nothing in them can change it. Only the
 * assistant's are given to a template that looks into them, for thoughts to leave out, for example.
 */
public final class ChatTemplate {

    private static final int SHOWN = 80; // characters of a template in a text about it

    // A content's place is marked by private-use characters around its index. The tabs tell whether the template trims:
    // no
    // template writes a tab next to a content.
    private static final char OPEN = '\uE000';
    private static final char CLOSE = '\uE001';
    private static final Pattern PLACE = Pattern.compile("(\t?)" + OPEN + "(\\d+)" + CLOSE + "(\t?)");
    private static final Pattern SPACE = Pattern.compile("^[ \t\n\u000B\f\r]+|[ \t\n\u000B\f\r]+$");

    private final String source;
    private final TemplateWriter writer;
    private final @Nullable JinjaTemplate toolWriter; // a template of its own for conversations with tools

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

    private ChatTemplate(String source, TemplateWriter writer, @Nullable JinjaTemplate toolWriter) {
        this.source = source;
        this.writer = writer;
        this.toolWriter = toolWriter;
    }

    /**
     * The template in the model's file.
     *
     * @throws LlamaException if the file has none, or one that cannot be read
     */
    public static ChatTemplate of(Model model) {
        String source = model.chatTemplate()
                .orElseThrow(() -> new LlamaException(
                        model + " has no chat template. Pass the name of the one that it was trained with to"
                                + " ChatTemplate.of(): " + String.join(", ", Llama.builtinChatTemplates())));
        String origin = "The chat template of " + model;
        if (ChatLibrary.unavailabilityCause() != null) {
            return new ChatTemplate(source, new BuiltinTemplate(source, origin), null);
        }
        JinjaTemplate forTools = model.chatTemplate("tool_use")
                .map(other -> jinja(model, other, origin + " for tools"))
                .orElse(null);
        return new ChatTemplate(source, jinja(model, source, origin), forTools);
    }

    /**
     * Another template for a model.
     *
     * @param nameOrSource one of {@link Llama#builtinChatTemplates()}, or the text of a Jinja template
     * @throws LlamaException if it cannot be read
     */
    public static ChatTemplate of(Model model, String nameOrSource) {
        boolean jinja = nameOrSource.contains("{{") || nameOrSource.contains("{%");
        if (!jinja || ChatLibrary.unavailabilityCause() != null) {
            return of(nameOrSource);
        }
        Require.noNul("template", nameOrSource);
        return new ChatTemplate(nameOrSource, jinja(model, nameOrSource, "The chat template"), null);
    }

    /**
     * A template of llama.cpp's list.
     *
     * @param nameOrSource one of {@link Llama#builtinChatTemplates()}, or the text of a Jinja template that llama.cpp recognises
     * @throws LlamaException if llama.cpp does not know it
     */
    public static ChatTemplate of(String nameOrSource) {
        Require.noNul("template", nameOrSource);
        return new ChatTemplate(nameOrSource, new BuiltinTemplate(nameOrSource, "The chat template"), null);
    }

    private static JinjaTemplate jinja(Model model, String source, String origin) {
        Vocab vocab = model.vocab();
        return new JinjaTemplate(source, text(vocab, vocab.bos()), text(vocab, vocab.eos()), vocab.addsBos(), origin);
    }

    private static String text(Vocab vocab, int token) {
        return token == Vocab.NO_TOKEN ? "" : vocab.piece(token);
    }

    /**
     * Writes a conversation. Tokenized as one text, contents that read like special tokens become these; {@link #prompt} and
     * {@link ChatSession} tell them apart.
     *
     * @param messages in their order; what the template has no role for is left out, except that a system message goes in front
     *     of the next user's if {@link #supportsSystemRole()} is false
     * @param addAssistant whether to add what introduces the assistant's next message
     * @return the prompt without the BOS that tokenizing adds
     * @throws LlamaException if the template refuses the conversation
     */
    public String render(List<ChatMessage> messages, boolean addAssistant) {
        return joined(pieces(messages, addAssistant));
    }

    /**
     * Writes a conversation for an answer that may call tools, follow a schema, or hold thoughts.
     *
     * @throws LlamaException if the template refuses the conversation, or its interpreter is needed and not there
     */
    public ChatPrompt prompt(ChatRequest request) {
        // By llama.cpp, an answer that has to follow a schema cannot call anything.
        boolean callOrSchema = request.schema != null && TextTools.mayBeCalled(request);
        if (callOrSchema || !supportsTools() && TextTools.areIn(request)) {
            ChatPrompt plain = prompt(request.withTextTools(supportsThinking()));
            return TextTools.mayBeCalled(request) ? plain.withTextCalls(TextTools.grammar(request)) : plain;
        }
        List<ChatMessage> messages = writer.supportsSystemRole() ? request.messages : folded(request.messages);
        JinjaTemplate jinja = !request.tools.isEmpty() && toolWriter != null
                ? toolWriter
                : writer instanceof JinjaTemplate own ? own : null;
        if (jinja == null) {
            if (request.needsInterpreter()) {
                ChatLibrary.require("Template arguments, thoughts and continued messages");
                throw new LlamaException(
                        this + " is one of llama.cpp's list, which knows no arguments, thoughts or continued messages."
                                + " Use the model's own template.");
            }
            Grammar grammar = request.schema == null ? null : request.schema.grammar();
            return new ChatPrompt(pieces(messages, true), grammar, List.of(), Set.of(), null, false);
        }
        Instant now = Instant.now();
        if (!request.continueLast && !haveAnswers(messages)) {
            Map<String, @Nullable Object> applied = jinja.apply(request, marked(messages, true), now);
            return JinjaTemplate.chatPrompt(split(jinja.prompt(applied), messages), applied);
        }
        Map<String, @Nullable Object> applied = jinja.apply(request, messages, now);
        List<Piece> pieces = request.continueLast
                ? List.of(new Piece(jinja.prompt(applied), null))
                : pieces(messages, some -> jinja.prompt(jinja.apply(request, some, now)), jinja.prompt(applied));
        return JinjaTemplate.chatPrompt(pieces, applied);
    }

    /**
     * Whether the template sets a system message apart. If not, {@link #render} puts it into the first user's message that
     * follows, with an empty line between them.
     */
    public boolean supportsSystemRole() {
        return writer.supportsSystemRole();
    }

    /**
     * Whether the template has a place for tools, and a form of its own for calls. If not, and where an answer that calls none has
     * to follow a schema, {@link #prompt} puts both into plain text, in the form of the Hermes models:
     *
     * <ul>
     *   <li>the system message ends with what the tools are for and how to call them. There is nothing of it with {@link
     *       ToolChoice#NONE};
     *   <li>a call is {@code <tool_call>{"name": "…", "arguments": {…}}</tool_call>} in the assistant's text, several stand one
     *       behind the other. A grammar holds the arguments to the tool's schema: from the first {@code <tool_call>} on, or from
     *       the beginning, without a thought, if a call is required or an answer has a schema, too;
     *   <li>what came of a call is {@code <tool_response>{"name": "…", "content": …}</tool_response>} in the user's text, together
     *       with the text of the user that follows.
     * </ul>
     *
     * <p>How well a model that was trained on nothing like it follows is another matter.
     */
    public boolean supportsTools() {
        return toolWriter != null
                || writer instanceof JinjaTemplate jinja
                        && jinja.can("supports_tools")
                        && jinja.can("supports_tool_calls");
    }

    /** Whether the template can tell the model to think before it answers. */
    public boolean supportsThinking() {
        return writer instanceof JinjaTemplate jinja && jinja.can("supports_thinking");
    }

    /** The template's text, or its name in llama.cpp's list. */
    public String source() {
        return source;
    }

    /** The prompt in pieces, contents apart from the template's own text. */
    List<Piece> pieces(List<ChatMessage> messages, boolean addAssistant) {
        List<ChatMessage> placed = writer.supportsSystemRole() ? messages : folded(messages);
        boolean compare = writer.looksIntoAnswers() && haveAnswers(placed);
        return pieces(
                placed, some -> writer.write(some, addAssistant), compare ? writer.write(placed, addAssistant) : null);
    }

    /** Whether there is something that a template may look into. */
    private static boolean haveAnswers(List<ChatMessage> messages) {
        return messages.stream().anyMatch(message -> message.role().equals(ChatMessage.ASSISTANT));
    }

    private interface Writing {
        String write(List<ChatMessage> messages);
    }

    /**
     * @param expected what is written with the contents themselves; {@code null} if that need not be looked at
     */
    private static List<Piece> pieces(List<ChatMessage> messages, Writing writing, @Nullable String expected) {
        List<Piece> pieces = split(writing.write(marked(messages, true)), messages);
        if (expected == null || joined(pieces).equals(expected)) {
            return pieces;
        }
        // A template that looks into the assistant's answers has to see them; a user's text it never gets.
        boolean unmistakable =
                messages.stream().noneMatch(message -> message.content().indexOf(OPEN) >= 0);
        return unmistakable ? split(writing.write(marked(messages, false)), messages) : pieces;
    }

    /** The pieces as one text. */
    static String joined(List<Piece> pieces) {
        StringBuilder text = new StringBuilder();
        pieces.forEach(piece -> text.append(piece.text));
        return text.toString();
    }

    private static List<ChatMessage> marked(List<ChatMessage> messages, boolean answersToo) {
        List<ChatMessage> marked = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            ChatMessage message = messages.get(i);
            // Templates ask whether there is a content beside tool calls.
            boolean mark = (answersToo || !message.role().equals(ChatMessage.ASSISTANT))
                    && !(message.content().isEmpty() && !message.toolCalls().isEmpty());
            marked.add(
                    !mark
                            ? message
                            : new ChatMessage(
                                    message.role(),
                                    "\t" + OPEN + i + CLOSE + "\t",
                                    message.reasoning(),
                                    message.toolCalls(),
                                    message.toolCallId()));
        }
        return marked;
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
            pieces.add(new Piece(trimmed ? SPACE.matcher(content).replaceAll("") : content, message.role()));
            end = place.end();
        }
        if (end < written.length()) {
            pieces.add(new Piece(written.substring(end), null));
        }
        return List.copyOf(pieces);
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
        return "chat template " + start(source);
    }

    /** What a text shows of a template's source. */
    static String start(String source) {
        return source.length() <= SHOWN ? source : source.substring(0, SHOWN) + "...";
    }
}
