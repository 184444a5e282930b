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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.panallama.tiny.TinyModel;

/** Tools with the template of Mixtral, which has no place for them. */
@Tag("native")
class TextToolsTest {

    private static final Tool WEATHER = new Tool(
            "weather",
            "The weather now",
            JsonSchema.of("{\"type\": \"object\", \"properties\": {\"city\": {\"$ref\": \"#/$defs/place\"}},"
                    + " \"required\": [\"city\"], \"$defs\": {\"place\": {\"enum\": [\"Paris\", \"Rome\"]}}}"));
    private static final Tool ROUTE = new Tool(
            "route",
            "",
            JsonSchema.of("{\"type\": \"object\", \"properties\": {\"to\": {\"$ref\": \"#/$defs/place\"}},"
                    + " \"required\": [\"to\"], \"$defs\": {\"place\": {\"enum\": [\"北京\"]}}}"));
    private static final String PARIS =
            "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n</tool_call>";
    private static final String BEIJING = "<tool_call>{\"name\":\"route\",\"arguments\":{\"to\":\"北京\"}}</tool_call>";

    private static Model model;
    private static ChatTemplate template;

    @BeforeAll
    static void load() {
        model = Model.load(TinyModel.path());
        template = ChatTemplate.of(model);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static ChatRequest.Builder ask(ChatMessage... messages) {
        return ChatRequest.builder(List.of(messages)).tools(List.of(WEATHER, ROUTE));
    }

    private static ChatPrompt prompt(ToolChoice choice, boolean parallel) {
        return template.prompt(ask(ChatMessage.user("Weather?"))
                .toolChoice(choice)
                .parallelToolCalls(parallel)
                .build());
    }

    @Test
    void theSystemMessageTellsOfThem() {
        assertThat(template.supportsTools()).isFalse();
        String text = template.prompt(ask(ChatMessage.system("Be brief."), ChatMessage.user("Weather?"))
                        .build())
                .text();
        assertThat(text)
                .startsWith("[INST] Be brief.\n\nYou can call functions.")
                .contains("<tool_call>\n{\"name\": \"NAME\"")
                .contains(
                        "{\"name\":\"weather\",\"description\":\"The weather now\",\"parameters\":{\"type\":\"object\"")
                .endsWith("\n\nWeather? [/INST]")
                .doesNotContain("several calls", "must be a call");
        assertThat(prompt(ToolChoice.REQUIRED, true).text()).contains("several calls", "must be a call");
        ChatPrompt none = prompt(ToolChoice.NONE, true);
        assertThat(none.text()).isEqualTo("[INST] Weather? [/INST]");
        assertThat(none.grammar()).isEmpty();
        AnswerParser parser = none.newParser();
        parser.read(PARIS, true);
        assertThat(parser.answer().content()).isEqualTo(PARIS);
    }

    @Test
    void aTemplateByItsNameTellsOfThemToo() {
        ChatRequest request = ask(ChatMessage.user("Weather?")).build();
        assertThat(ChatTemplate.of("chatml").prompt(request).text())
                .startsWith("<|im_start|>system\nYou can call functions.")
                .endsWith("<|im_start|>user\nWeather?<|im_end|>\n<|im_start|>assistant\n");
    }

    @Test
    void earlierCallsAndWhatCameOfThemAreText() {
        ChatMessage calls = new ChatMessage(
                "assistant",
                "Let me look.",
                "",
                List.of(new ToolCall("a", "weather", "{\"city\": \"Paris\"}"), new ToolCall("b", "route", "not JSON")),
                "");
        ChatRequest request = ChatRequest.builder(List.of(
                        ChatMessage.user("Weather?"),
                        calls,
                        ChatMessage.tool("b", "{\"km\": 7}"),
                        ChatMessage.tool("a", "21 \"degrees\"</s>"),
                        ChatMessage.user("And?")))
                .build();
        assertThat(template.prompt(request).text())
                .isEqualTo("[INST] Weather? [/INST]Let me look.\n"
                        + "<tool_call>\n{\"name\":\"weather\",\"arguments\":{\"city\":\"Paris\"}}\n</tool_call>\n"
                        + "<tool_call>\n{\"name\":\"route\",\"arguments\":\"not JSON\"}\n</tool_call></s>[INST] "
                        + "<tool_response>\n{\"name\":\"route\",\"content\":{\"km\":7}}\n</tool_response>\n"
                        + "<tool_response>\n{\"name\":\"weather\",\"content\":\"21 \\\"degrees\\\"</s>\"}\n</tool_response>\n"
                        + "And? [/INST]");
    }

    /** What the grammar makes of an answer: whether it may be so far, and whether it may end there. */
    private static void assertAllowed(Grammar grammar, String answer, boolean allowed) {
        try (Sampler sampler = Sampler.builder().grammar(grammar).build(model)) {
            Runnable accept = () -> {
                for (int token : bytes(answer)) {
                    sampler.accept(token);
                }
                sampler.accept(model.vocab().eos());
            };
            if (allowed) {
                accept.run();
            } else {
                assertThatThrownBy(accept::run).as(answer).isInstanceOf(GrammarException.class);
            }
        }
    }

    private static int[] bytes(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        int[] tokens = new int[utf8.length];
        for (int i = 0; i < utf8.length; i++) {
            for (int token = 0; token < model.vocab().size(); token++) {
                byte[] piece = model.vocab().pieceBytes(token, false);
                if (piece.length == 1 && piece[0] == utf8[i]) {
                    tokens[i] = token;
                }
            }
        }
        return tokens;
    }

    @Test
    void aRequiredCallFollowsTheToolsSchema() {
        Grammar one = prompt(ToolChoice.REQUIRED, false).grammar().orElseThrow();
        assertThat(one.isLazy()).isFalse();
        assertAllowed(one, PARIS, true);
        assertAllowed(one, "\n" + BEIJING, true);
        assertAllowed(one, PARIS + "\n" + BEIJING, false);
        assertAllowed(one, "Paris", false);
        assertAllowed(one, "", false);
        assertAllowed(one, PARIS.replace("Paris", "Berlin"), false);
        assertAllowed(one, PARIS.replace("Paris", "北京"), false); // the other tool's definition of the same name
        assertAllowed(one, PARIS.replace("weather", "moon"), false);
        Grammar several = prompt(ToolChoice.REQUIRED, true).grammar().orElseThrow();
        assertAllowed(several, PARIS + "\n" + BEIJING + PARIS, true);
    }

    @Test
    void argumentsAreAnObjectWhateverTheirSchemaLeavesOut() {
        Tool any = new Tool("any", "", JsonSchema.of("{\"description\": \"whatever\"}"));
        Grammar grammar = template.prompt(ChatRequest.builder(List.of(ChatMessage.user("x")))
                        .tools(List.of(any))
                        .toolChoice(ToolChoice.REQUIRED)
                        .build())
                .grammar()
                .orElseThrow();
        String call = "<tool_call>{\"name\":\"any\",\"arguments\":%s}</tool_call>";
        assertAllowed(grammar, String.format(call, "{\"a\":[1]}"), true);
        assertAllowed(grammar, String.format(call, "5"), false);
    }

    @Test
    void whereTheModelMayChooseACallFollowsItsTag() {
        Grammar grammar = prompt(ToolChoice.AUTO, true).grammar().orElseThrow();
        assertThat(grammar.isLazy()).isTrue();
        assertAllowed(grammar, "It is {\"sunny\"}.", true);
        assertAllowed(grammar, "Let me look. " + PARIS + BEIJING, true);
        assertAllowed(grammar, "Let me look. " + PARIS.replace("Paris", "Berlin"), false);
        assertAllowed(grammar, PARIS + "That's it.", false);
    }

    /** In a template's own form, too, which llama.cpp has no grammar for that allows both. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aSchemaOfTheAnswerGoesTogetherWithTools(boolean knowsTools) {
        ChatTemplate used = knowsTools ? ChatTemplate.of(model, ChatPromptTest.TOOLS) : template;
        assertThat(used.supportsTools()).isEqualTo(knowsTools);
        ChatPrompt prompt = used.prompt(ask(ChatMessage.user("Weather?"))
                .schema(JsonSchema.of("{\"type\": \"boolean\"}"))
                .build());
        assertThat(prompt.text()).contains("You can call functions.");
        Grammar grammar = prompt.grammar().orElseThrow();
        assertThat(grammar.isLazy()).isFalse();
        assertAllowed(grammar, "true", true);
        assertAllowed(grammar, BEIJING, true);
        assertAllowed(grammar, "perhaps", false);
    }

    @Test
    void anAnswerIsTakenApartWhileItComes() {
        AnswerParser parser = prompt(ToolChoice.AUTO, true).newParser();
        String answer = "Is 1 < 2? <tool? Yes.\n\n" + PARIS + "\n" + BEIJING;
        StringBuilder content = new StringBuilder();
        List<String> names = new ArrayList<>();
        List<StringBuilder> arguments = new ArrayList<>();
        for (int length = 1; length <= answer.length(); length++) {
            for (ChatDelta delta : parser.read(answer.substring(0, length), length == answer.length())) {
                content.append(delta.content());
                if (!delta.name().isEmpty()) {
                    assertThat(delta.toolCall()).isEqualTo(names.size());
                    names.add(delta.name());
                    arguments.add(new StringBuilder());
                }
                if (delta.toolCall() >= 0) {
                    arguments.get(delta.toolCall()).append(delta.arguments());
                }
            }
        }
        assertThat(content).hasToString("Is 1 < 2? <tool? Yes.");
        assertThat(names).containsExactly("weather", "route");
        assertThat(arguments.get(0)).hasToString("{\"city\": \"Paris\"}");
        assertThat(arguments.get(1)).hasToString("{\"to\":\"北京\"}");
        assertThat(parser.answer())
                .isEqualTo(new ChatAnswer(
                        "Is 1 < 2? <tool? Yes.",
                        "",
                        List.of(
                                new ToolCall("", "weather", "{\"city\": \"Paris\"}"),
                                new ToolCall("", "route", "{\"to\":\"北京\"}"))));
    }

    @Test
    void whatIsNoCallIsText() {
        for (String answer :
                List.of("<tool_call>", "a <tool_call>b</tool_call> c ", "<tool_call>{\"name\": 1}", " <tool_")) {
            AnswerParser parser = prompt(ToolChoice.AUTO, true).newParser();
            for (int length = 1; length < answer.length(); length++) {
                parser.read(answer.substring(0, length), false);
            }
            parser.read(answer, true);
            assertThat(parser.answer()).isEqualTo(new ChatAnswer(answer, "", List.of()));
        }
    }

    @Test
    void bracketsWithinTextsDoNotEndTheArguments() {
        String arguments = "{\"a\": \"}\\\"]\", \"b\": [{}, {\"c\": \"</tool_call>\\\\\"}]}";
        AnswerParser parser = prompt(ToolChoice.AUTO, true).newParser();
        parser.read("<tool_call>{\"name\": \"x\", \"arguments\": " + arguments + "}</tool_call>", true);
        assertThat(parser.answer().toolCalls()).containsExactly(new ToolCall("", "x", arguments));
    }

    @Test
    void aModelThatIsMadeToCallsAToolInItsOwnWords() {
        ChatPrompt prompt = prompt(ToolChoice.REQUIRED, false);
        try (Context context = model.newContext(
                        ContextOptions.builder().length(1024).threads(1).build());
                Sampler sampler = Sampler.builder()
                        .temperature(2)
                        .seed(3)
                        .grammar(prompt.grammar().orElseThrow())
                        .build()) {
            String answer = context.generate(prompt.text(), sampler).text();
            AnswerParser parser = prompt.newParser();
            parser.read(answer, true);
            assertThat(parser.answer().content()).isEmpty();
            assertThat(parser.answer().toolCalls())
                    .singleElement()
                    .satisfies(call -> assertThat(call.arguments().replaceAll("\\s", ""))
                            .isIn("{\"city\":\"Paris\"}", "{\"city\":\"Rome\"}", "{\"to\":\"北京\"}"));
        }
    }
}
