package org.panallama.server.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.microsoft.playwright.Locator;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PageExtension.class)
class ChatTest {

    private static final String FRANCE = "法国的英文名是什么？";
    private static final String GERMANY = "德国的英文名是什么？";

    @Test
    void anAnswerComesWithWhatItCost(ChatPage chat) {
        chat.greedy();
        chat.type(FRANCE);
        assertThat(chat.byId("count")).hasText(Pattern.compile("[1-9]\\d* tokens"));
        JsonObject request = chat.requestOf(() -> chat.byId("text").press("Enter"));
        chat.awaitAnswer();
        assertThat(chat.answer()).hasText("France");
        assertThat(chat.byId("text")).hasValue("");
        assertThat(chat.turns().last().locator(".usage")).hasText(Pattern.compile("\\d+ \\+ \\d+ tokens"));
        assertThat(chat.turns().last().locator(".speed")).hasText(Pattern.compile("[\\d.,]+ tokens/s"));
        assertThat(chat.turns().last().locator(".by")).hasText(PageServer.MODEL);
        assertThat(request.get("stream").getAsBoolean()).isTrue();
        chat.screenshot("chat");
    }

    @Test
    void theNextTurnKnowsTheOnesBefore(ChatPage chat) {
        chat.greedy();
        chat.ask(FRANCE);
        chat.type(GERMANY);
        JsonObject request = chat.requestOf(() -> chat.byId("send").click());
        assertThat(request.getAsJsonArray("messages"))
                .extracting(message -> message.getAsJsonObject().get("role").getAsString() + ": "
                        + message.getAsJsonObject().get("content").getAsString())
                .containsExactly("user: " + FRANCE, "assistant: France", "user: " + GERMANY);
        chat.awaitAnswer();
        assertThat(chat.turns()).hasCount(4);
    }

    @Test
    void regeneratingKeepsTheOtherAnswer(ChatPage chat) {
        chat.greedy();
        chat.ask(FRANCE);
        chat.byId("stop-strings").fill("an");
        chat.action("Regenerate").click();
        assertThat(chat.answer()).hasText("Fr");
        chat.awaitAnswer();
        assertThat(chat.turns().last().locator(".figures"))
                .hasText(Pattern.compile("^\\d+ \\+ 1 tokens\\s*" + PageServer.MODEL + "$")); // too short for a speed
        Locator versions = chat.turns().last().locator(".branches span");
        assertThat(versions).hasText("2 of 2");
        chat.action("Previous version").click();
        assertThat(versions).hasText("1 of 2");
        assertThat(chat.answer()).hasText("France");
        assertThat(chat.action("Previous version")).isDisabled();
        chat.action("Next version").click();
        assertThat(chat.answer()).hasText("Fr");
        chat.screenshot("branches");
    }

    @Test
    void anEditedMessageIsAnsweredOnABranchOfItsOwn(ChatPage chat) {
        chat.greedy();
        chat.ask(FRANCE);
        Locator question = chat.turns().first();
        question.hover();
        chat.action(question, "Edit").click();
        question.locator("textarea").fill(GERMANY);
        chat.screenshot("edit");
        chat.action(question, "Send").click();
        assertThat(chat.answer()).hasText("Germany");
        chat.awaitAnswer();
        assertThat(chat.turns()).hasCount(2);
        chat.action(chat.turns().first(), "Previous version").click();
        assertThat(chat.turns().first().locator(".body")).hasText(FRANCE);
        assertThat(chat.answer()).hasText("France");
    }

    @Test
    void anEditedAnswerIsWhatTheModelIsToldItSaid(ChatPage chat) {
        chat.greedy();
        chat.ask(FRANCE);
        chat.action("Edit").click();
        chat.turns().last().locator("textarea").fill("**Francia**");
        chat.action("Save").click();
        assertThat(chat.answer().locator("strong")).hasText("Francia");
        chat.type(GERMANY);
        JsonObject request = chat.requestOf(() -> chat.byId("send").click());
        assertThat(request.getAsJsonArray("messages")
                        .get(1)
                        .getAsJsonObject()
                        .get("content")
                        .getAsString())
                .isEqualTo("**Francia**");
        chat.awaitAnswer();
    }

    @Test
    void anAnswerElsewhereLeavesAnEditAlone(ChatPage chat) {
        chat.answerWith("Yes.");
        chat.ask("One?");
        Locator question = chat.turns().first();
        question.hover();
        chat.action(question, "Edit").click();
        question.locator("textarea").fill("Another one?");
        chat.ask("Two?");
        assertThat(chat.turns()).hasCount(4);
        assertThat(question.locator("textarea")).hasValue("Another one?");
        chat.action(question, "Send").click();
        assertThat(chat.turns()).hasCount(2);
        assertThat(question.locator(".body")).hasText("Another one?");
    }

    @Test
    void markdownAndCodeAreFormatted(ChatPage chat) {
        chat.answerWith(Samples.MARKDOWN);
        chat.ask("Quicksort?");
        assertThat(chat.answer().locator("h2")).hasText("Quicksort 快速排序");
        assertThat(chat.answer().locator("pre .hljs-keyword").first()).hasText("static");
        assertThat(chat.answer().locator("figcaption span")).hasText("java");
        assertThat(chat.answer().locator("td").nth(3)).hasText("n²");
        assertThat(chat.answer().locator("li")).hasCount(4);
        assertThat(chat.answer().locator("a")).hasAttribute("rel", "noopener noreferrer");
        chat.screenshot("markdown");
    }

    @Test
    void reasoningIsFoldedAway(ChatPage chat) {
        chat.answerWith("391", "17 times 23 is 391.");
        chat.ask("17 * 23?");
        assertThat(chat.answer()).hasText("391");
        Locator reasoning = chat.turns().last().locator(".reasoning");
        assertThat(reasoning.locator("div")).isHidden();
        reasoning.locator("summary").click();
        assertThat(reasoning.locator("div")).hasText("17 times 23 is 391.");
    }
}
