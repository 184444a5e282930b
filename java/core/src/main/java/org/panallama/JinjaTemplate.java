package org.panallama;

import java.lang.ref.Reference;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.panallama.internal.Json;
import org.panallama.spi.ChatCalls;

/** A model's own template, interpreted by {@code libpanallama-chat}. */
final class JinjaTemplate implements TemplateWriter {

    private final ChatCalls calls = Llama.binding();
    private final long templates;
    private final String bos;
    private final boolean dropBos;
    private final Map<String, @Nullable Object> capabilities;

    /**
     * @param bos the text of the model's BOS, empty for none
     * @param dropBos whether tokenizing adds it, so that the prompt must not hold it
     * @param origin names the template at the beginning of a sentence
     * @throws LlamaException if the template cannot be parsed
     */
    JinjaTemplate(String source, String bos, String eos, boolean dropBos, String origin) {
        this.bos = bos;
        this.dropBos = dropBos && !bos.isEmpty();
        try {
            ChatCalls.ChatTemplates opened = calls.chatTemplatesOpen(0, source, bos, eos);
            long address = opened.handle();
            ChatCalls closing = calls;
            Handle.CLEANER.register(this, () -> closing.chatTemplatesClose(address));
            templates = address;
            capabilities = Json.asObject(Json.parseObject(opened.description()).get("capabilities"));
        } catch (IllegalArgumentException e) {
            throw new LlamaException(origin + " cannot be read: " + e.getMessage(), e);
        }
    }

    boolean can(String capability) {
        return Boolean.TRUE.equals(capabilities.get(capability));
    }

    @Override
    public boolean supportsSystemRole() {
        return can("supports_system_role");
    }

    @Override
    public boolean looksIntoAnswers() {
        return true;
    }

    @Override
    public String write(List<ChatMessage> messages, boolean addAssistant) {
        Map<String, @Nullable Object> request = new LinkedHashMap<>();
        request.put("add_generation_prompt", addAssistant);
        return prompt(apply(request, messages));
    }

    /** What {@code panallama_chat_apply} gives for a request. */
    Map<String, @Nullable Object> apply(ChatRequest request, List<ChatMessage> messages, Instant now) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        if (!request.tools.isEmpty()) {
            json.put("tools", request.tools.stream().map(Tool::json).toList());
            json.put("tool_choice", request.toolChoice.code());
            json.put("parallel_tool_calls", request.parallelToolCalls);
        }
        if (request.schema != null) {
            json.put("json_schema", request.schema.schema());
        }
        json.put("reasoning_format", request.separateReasoning ? "auto" : "none");
        json.put("enable_thinking", request.thinking);
        json.put("add_generation_prompt", !request.continueLast);
        if (request.continueLast) {
            json.put("continue_final_message", true);
        }
        if (!request.arguments.isEmpty()) {
            json.put("chat_template_kwargs", request.arguments);
        }
        json.put("now", now.getEpochSecond());
        return apply(json, messages);
    }

    private Map<String, @Nullable Object> apply(Map<String, @Nullable Object> request, List<ChatMessage> messages) {
        request.put("messages", messages.stream().map(ChatMessage::json).toList());
        try {
            return Json.parseObject(calls.chatApply(templates, Json.write(request)));
        } catch (IllegalArgumentException e) {
            throw new LlamaException("The model's chat template does not take this conversation: " + e.getMessage(), e);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    String prompt(Map<String, @Nullable Object> applied) {
        String prompt = (String) applied.get("prompt");
        return dropBos && prompt.startsWith(bos) ? prompt.substring(bos.length()) : prompt;
    }

    /** What belongs to an answer, beside the prompt's text. */
    static ChatPrompt chatPrompt(List<ChatTemplate.Piece> pieces, Map<String, @Nullable Object> applied) {
        return new ChatPrompt(
                pieces,
                grammar(applied),
                texts(applied, "stop"),
                new LinkedHashSet<>(texts(applied, "preserved_tokens")),
                (String) applied.get("syntax"),
                false);
    }

    private static @Nullable Grammar grammar(Map<String, @Nullable Object> applied) {
        String rules = (String) applied.get("grammar");
        if (rules.isEmpty()) {
            return null;
        }
        if (!Boolean.TRUE.equals(applied.get("grammar_lazy"))) {
            return Grammar.of(rules).withPrefix((String) applied.get("generation_prompt"));
        }
        List<Pattern> triggers = new ArrayList<>();
        for (Object trigger : Json.asArray(applied.get("grammar_triggers"))) {
            String type = (String) Json.asObject(trigger).get("type");
            String value = (String) Json.asObject(trigger).get("value");
            triggers.add(
                    switch (type) {
                        case "pattern" -> Pattern.compile(value, Pattern.DOTALL);
                        case "pattern_full" -> Pattern.compile("\\A(?:" + value + ")\\z", Pattern.DOTALL);
                        default -> Pattern.compile(Pattern.quote(value)); // a word, or a token by its text
                    });
        }
        return Grammar.lazy(rules, triggers, Set.of());
    }

    private static List<String> texts(Map<String, @Nullable Object> object, String key) {
        return Json.asArray(object.get(key)).stream().map(String.class::cast).toList();
    }
}
