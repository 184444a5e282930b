package org.panallama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.panallama.tiny.TinyModel;

@Tag("native")
class ChatTemplateTest {

    private static final List<ChatMessage> CONVERSATION = List.of(
            ChatMessage.user("Instruction"), ChatMessage.assistant("Model answer"), ChatMessage.user(" Follow-up "));

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
    void writesMixtralsReferenceForm() {
        assertThat(ChatTemplate.of(model).render(CONVERSATION, true))
                .isEqualTo("[INST] Instruction [/INST]Model answer</s>[INST]  Follow-up  [/INST]");
    }

    @Test
    void foldsTheSystemMessageWhereThereIsNoRoleForIt() {
        ChatTemplate template = ChatTemplate.of(model);
        assertThat(template.supportsSystemRole()).isFalse();
        assertThat(template.render(List.of(ChatMessage.system("Be brief."), ChatMessage.user("Why?")), true))
                .isEqualTo("[INST] Be brief.\n\nWhy? [/INST]");
        assertThat(template.render(List.of(ChatMessage.system("Be brief.")), false))
                .isEqualTo("[INST] Be brief. [/INST]");
    }

    @Test
    void keepsTheSystemMessageWhereThereIs() {
        ChatTemplate chatml = ChatTemplate.of("chatml");
        assertThat(chatml.supportsSystemRole()).isTrue();
        assertThat(chatml.render(List.of(ChatMessage.system("S"), ChatMessage.user("U")), true))
                .isEqualTo("<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n");
        assertThat(ChatTemplate.of("llama3").supportsSystemRole()).isTrue();
        assertThat(ChatTemplate.of("mistral-v1").supportsSystemRole()).isFalse();
        assertThat(ChatTemplate.of("yandex").supportsSystemRole()).isFalse(); // llama.cpp leaves it out
    }

    /** llama.cpp is given marks in place of the contents; the outcome must be what it writes with the contents. */
    @Test
    void writesWhatLlamaCppWritesForEveryTemplate() {
        String[] roles = {"user", "assistant", "user"};
        String[] contents = {"Instruction", "Model answer", " Follow-up "};
        for (String name : Llama.builtinChatTemplates()) {
            byte[] expected = Llama.binding().applyChatTemplate(name, roles, contents, true);
            assertThat(ChatTemplate.of(name).render(CONVERSATION, true))
                    .as(name)
                    .isEqualTo(new String(expected, StandardCharsets.UTF_8));
        }
    }

    @Test
    void contentsCannotChangeTheTemplate() {
        ChatTemplate template = ChatTemplate.of("chatml");
        String content = "\uE0000\uE001 \t\uE0001\uE001\t \0 end";
        assertThat(template.render(List.of(ChatMessage.user(content), ChatMessage.assistant("a")), false))
                .isEqualTo("<|im_start|>user\n" + content + "<|im_end|>\n<|im_start|>assistant\na<|im_end|>\n");
    }

    @Test
    void refusesAnUnknownTemplateAndNamesTheWayOut() {
        assertThatThrownBy(() -> ChatTemplate.of("{{ messages[0].content }}"))
                .isInstanceOf(LlamaException.class)
                .hasMessageContaining("{{ messages[0].content }}")
                .hasMessageContaining("Llama.builtinChatTemplates()")
                .hasMessageContaining("chatml");
        assertThatThrownBy(() -> ChatTemplate.of("a\0b")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void refusesARoleThatIsNoWord() {
        assertThatThrownBy(() -> new ChatMessage("user<|im_end|>", "x"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("user<|im_end|>");
    }

    @Test
    void tokenizesAPromptInPiecesAsInOne() {
        PromptTokenizer tokenizer = new PromptTokenizer(model.vocab());
        List<ChatMessage> messages =
                List.of(ChatMessage.user("法国的英文名是什么？"), ChatMessage.assistant("France"), ChatMessage.user("  Why\n?"));
        for (String name : Llama.builtinChatTemplates()) {
            ChatTemplate template = ChatTemplate.of(name);
            String prompt = template.render(messages, true);
            int[] inOne = model.vocab().tokenize(prompt, !prompt.startsWith("<s>"), true);
            assertThat(tokenizer.tokenize(template.pieces(messages, true), List.of()))
                    .as(name)
                    .isEqualTo(inOne);
        }
    }

    @Test
    void contentsHaveNoSpecialTokens() {
        ChatTemplate template = ChatTemplate.of(model);
        PromptTokenizer tokenizer = new PromptTokenizer(model.vocab());
        List<ChatMessage> messages = List.of(ChatMessage.user("a</s>b<s>"), ChatMessage.assistant("c"));
        int[] tokens = tokenizer.tokenize(template.pieces(messages, false), List.of());
        assertThat(tokens)
                .containsOnlyOnce(model.vocab().eos())
                .endsWith(model.vocab().eos());
        assertThat(tokens)
                .containsOnlyOnce(model.vocab().bos())
                .startsWith(model.vocab().bos());
        assertThat(model.vocab().detokenize(tokens)).isEqualTo("[INST] a</s>b<s> [/INST]c");
    }

    /** The text behind an answer's own tokens is cut as within the whole text. */
    @Test
    void anAnswersOwnTokensStandInAPromptAsItsTextWould() {
        PromptTokenizer tokenizer = new PromptTokenizer(model.vocab());
        List<ChatMessage> question = List.of(ChatMessage.user("法国的英文名是什么？"));
        List<ChatMessage> messages =
                List.of(question.get(0), ChatMessage.assistant(" France"), ChatMessage.user("  Why\n?"));
        for (String name : List.of("llama2", "chatml", "deepseek")) {
            ChatTemplate template = ChatTemplate.of(name);
            String cue = PromptTokenizer.cue(template.pieces(question, true));
            int[] tokens = tokenizer.tokenize(
                    template.pieces(messages, true), List.of(new PromptTokenizer.Answer(new int[] {870, 423}, cue)));
            assertThat(tokens)
                    .as(name)
                    .isEqualTo(model.vocab().tokenize(template.render(messages, true)))
                    .containsSequence(870, 423);
        }
    }

    @Test
    void anAnswersOwnTokensStandOnlyBehindWhatTheyWereGeneratedAfter() {
        PromptTokenizer.Answer answer = new PromptTokenizer.Answer(new int[] {870}, " [/INST]");
        assertThat(answer.fits(" [/INST]")).isTrue();
        assertThat(answer.fits(" [/INST] ")).isTrue();
        assertThat(answer.fits(" [/INST] <think>")).isFalse();
        assertThat(answer.fits(" [/IN")).isFalse();
    }
}
