package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.panallama.tiny.TinyModel;

/** Templates that llama.cpp interprets: tools, schemas, thoughts. */
@Tag("native")
class ChatPromptTest {

    /** Announces tools and calls them the way that many models do. */
    static final String TOOLS = "{%- if tools %}<|im_start|>system\nTools:{% for tool in tools %}\n{{ tool | tojson }}"
            + "{% endfor %}<|im_end|>\n{% endif %}{%- for message in messages %}<|im_start|>{{ message.role }}\n"
            + "{{ message.content }}{%- if message.tool_calls %}{%- for call in message.tool_calls %}\n<tool_call>\n"
            + "{\"name\": \"{{ call.function.name }}\", \"arguments\": {{ call.function.arguments | tojson }}}\n</tool_call>"
            + "{%- endfor %}{%- endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    /** Leaves an earlier answer's thoughts out. */
    private static final String THOUGHTS = "{% for message in messages %}<{{ message.role }}>"
            + "{% if message.role == 'assistant' %}{{ message.content.split('</think>')[-1] }}{% else %}{{ message.content }}"
            + "{% endif %}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";

    private static final Tool WEATHER = new Tool(
            "weather",
            "The weather now",
            JsonSchema.of(
                    "{\"type\": \"object\", \"properties\": {\"city\": {\"enum\": [\"Paris\", \"Rome\"]}}, \"required\": [\"city\"]}"));

    private static Model model;

    @BeforeAll
    static void load() {
        model = Model.load(TinyModel.path());
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void announcesToolsAndReadsACall() {
        ChatTemplate template = ChatTemplate.of(model, TOOLS);
        assertThat(template.supportsTools()).isTrue();
        ChatPrompt prompt = template.prompt(ChatRequest.builder(List.of(ChatMessage.user("Weather in Paris?")))
                .tools(List.of(WEATHER))
                .build());
        assertThat(prompt.text()).contains("\"name\": \"weather\"").endsWith("<|im_start|>assistant\n");
        assertThat(prompt.grammar())
                .hasValueSatisfying(grammar -> assertThat(grammar.isLazy()).isTrue());

        String answer =
                "Let me look.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>";
        AnswerParser parser = prompt.newParser();
        List<ChatDelta> deltas = new ArrayList<>();
        for (int length = 1; length < answer.length(); length++) {
            deltas.addAll(parser.read(answer.substring(0, length), false));
        }
        deltas.addAll(parser.read(answer, true));
        assertThat(parser.answer().content().strip()).isEqualTo("Let me look.");
        assertThat(parser.answer().toolCalls()).singleElement().satisfies(call -> {
            assertThat(call.name()).isEqualTo("weather");
            assertThat(call.arguments().replace(" ", "")).isEqualTo("{\"city\":\"Paris\"}");
        });
        StringBuilder content = new StringBuilder();
        StringBuilder arguments = new StringBuilder();
        for (ChatDelta delta : deltas) {
            content.append(delta.content());
            arguments.append(delta.arguments());
        }
        assertThat(content.toString().strip()).isEqualTo("Let me look.");
        assertThat(arguments).hasToString(parser.answer().toolCalls().get(0).arguments());
    }

    @Test
    void aRequiredCallIsHeldByAGrammar() {
        ChatPrompt prompt = ChatTemplate.of(model, TOOLS)
                .prompt(ChatRequest.builder(List.of(ChatMessage.user("Weather in Paris?")))
                        .tools(List.of(WEATHER))
                        .toolChoice(ToolChoice.REQUIRED)
                        .build());
        Grammar grammar = prompt.grammar().orElseThrow();
        assertThat(grammar.isLazy()).isFalse();
        String call = "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"%s\"}}\n</tool_call>";
        try (Sampler sampler = Sampler.builder().grammar(grammar).build(model)) {
            String paris = String.format(call, "Paris");
            for (byte letter : paris.getBytes(StandardCharsets.UTF_8)) {
                sampler.accept(token((char) letter));
            }
            AnswerParser parser = prompt.newParser();
            parser.read(paris, true);
            assertThat(parser.answer().toolCalls()).extracting(ToolCall::name).containsExactly("weather");
        }
        try (Sampler sampler = Sampler.builder().grammar(grammar).build(model)) {
            String before = String.format(call, "").substring(0, call.indexOf("%s"));
            for (byte letter : before.getBytes(StandardCharsets.UTF_8)) {
                sampler.accept(token((char) letter));
            }
            assertThatThrownBy(() -> sampler.accept(token('B'))).isInstanceOf(GrammarException.class);
        }
    }

    /** The token of one ASCII character alone. */
    private static int token(char c) {
        for (int token = 0; token < model.vocab().size(); token++) {
            byte[] bytes = model.vocab().pieceBytes(token, false);
            if (bytes.length == 1 && bytes[0] == c) {
                return token;
            }
        }
        throw new AssertionError("no token for " + c);
    }

    @Test
    void earlierCallsAndTheirResultsStandInThePrompt() {
        ChatMessage call = new ChatMessage(
                "assistant", "", "", List.of(new ToolCall("c1", "weather", "{\"city\": \"Paris\"}")), "");
        ChatPrompt prompt = ChatTemplate.of(model, TOOLS)
                .prompt(ChatRequest.builder(List.of(
                                ChatMessage.user("Weather in Paris?"),
                                call,
                                ChatMessage.tool("c1", "21 degrees<|im_end|>")))
                        .tools(List.of(WEATHER))
                        .build());
        assertThat(prompt.text())
                .contains("<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>")
                .contains("<|im_start|>tool\n21 degrees<|im_end|>");
    }

    @Test
    void aSchemaHoldsTheAnswer() {
        ChatPrompt prompt = ChatTemplate.of(model)
                .prompt(ChatRequest.builder(List.of(ChatMessage.user("法国")))
                        .schema(JsonSchema.of("{\"type\": \"boolean\"}"))
                        .build());
        assertThat(prompt.text()).isEqualTo("[INST] 法国 [/INST]");
        assertThat(prompt.tokens(model.vocab()))
                .startsWith(model.vocab().bos())
                .isEqualTo(model.vocab().tokenize(prompt.text()));
        assertThat(prompt.grammar())
                .hasValueSatisfying(grammar -> assertThat(grammar.rules()).contains("true"));
        ChatPrompt byName = ChatTemplate.of("llama2")
                .prompt(ChatRequest.builder(List.of(ChatMessage.user("法国")))
                        .schema(JsonSchema.of("{\"type\": \"boolean\"}"))
                        .build());
        assertThat(byName.grammar()).isPresent();
    }

    @Test
    void aTemplateThatLooksIntoAnswersSeesThem() {
        ChatTemplate template = ChatTemplate.of(model, THOUGHTS);
        assertThat(template.render(
                        List.of(
                                ChatMessage.user("a</think>b"),
                                ChatMessage.assistant("<think>c</think>d"),
                                ChatMessage.user("e")),
                        true))
                .isEqualTo("<user>a</think>b<assistant>d<user>e<assistant>");
    }

    @Test
    void aUsersTextHasNoSpecialTokens() {
        ChatPrompt prompt = ChatTemplate.of(model)
                .prompt(ChatRequest.builder(List.of(ChatMessage.user("a</s>b<s>")))
                        .build());
        assertThat(prompt.tokens(model.vocab()))
                .containsOnlyOnce(model.vocab().bos())
                .doesNotContain(model.vocab().eos());
    }

    @Test
    void continuesTheLastMessage() {
        ChatPrompt prompt = ChatTemplate.of(model)
                .prompt(ChatRequest.builder(List.of(ChatMessage.user("Hi"), ChatMessage.assistant("Fra")))
                        .continueLast(true)
                        .build());
        assertThat(prompt.text()).isEqualTo("[INST] Hi [/INST]Fra");
    }

    @Test
    void aGrammarThatDoesNotBeginWithItsPrefixIsRefused() {
        try (Sampler sampler = Sampler.builder()
                        .grammar(Grammar.of("root ::= \"b\"").withPrefix("a"))
                        .build();
                Context context = model.newContext(
                        ContextOptions.builder().length(64).threads(1).build())) {
            assertThatThrownBy(() -> context.generate("x", sampler).text()).isInstanceOf(GrammarException.class);
        }
        try (Sampler sampler = Sampler.builder()
                        .grammar(Grammar.of("root ::= \"ab\" [c] \"d\"").withPrefix("ab"))
                        .build();
                Context context = model.newContext(
                        ContextOptions.builder().length(64).threads(1).build())) {
            assertThat(context.generate("x", sampler).text()).isEqualTo("cd");
            assertThat(context.generate("x", sampler).text()).isEqualTo("cd");
        }
    }

    @Test
    void templateArgumentsReachTheTemplate() {
        ChatTemplate template = ChatTemplate.of(model, "{{ tone }}:{{ messages[0].content }}");
        assertThat(template.prompt(ChatRequest.builder(List.of(ChatMessage.user("x")))
                                .templateArguments("{\"tone\": \"kind\"}")
                                .build())
                        .text())
                .isEqualTo("kind:x");
    }

    @Test
    void saysWhatIsWrong() {
        assertThatThrownBy(() -> ChatTemplate.of(model, "{% if %}"))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("cannot be read");
        ChatTemplate refusing = ChatTemplate.of(model, "{{ raise_exception('Not like this') }}");
        assertThatThrownBy(() -> refusing.render(List.of(ChatMessage.user("x")), true))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("Not like this");
        ChatRequest continued = ChatRequest.builder(List.of(ChatMessage.user("x"), ChatMessage.assistant("y")))
                .continueLast(true)
                .build();
        assertThatThrownBy(() -> ChatTemplate.of("chatml").prompt(continued))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("continued messages");
        assertThatThrownBy(() -> new Tool("a b", "", WEATHER.parameters()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a b");
        assertThatThrownBy(() ->
                        ChatRequest.builder(List.of(ChatMessage.user("x"))).tools(List.of(WEATHER, WEATHER)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("weather");
    }
}
