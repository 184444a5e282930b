package org.panallama.server.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** With answers that stand still, so that there is something to be stopped. */
@ExtendWith(PageExtension.class)
class StopTest {

    private static final String QUESTION = "以JSON输出德国的信息。";
    private static final Pattern SOMETHING = Pattern.compile(".");

    @Test
    void theButtonStopsAnAnswer(ChatPage chat) {
        begin(chat);
        assertThat(chat.byId("send")).hasAccessibleName("Stop");
        chat.screenshot("streaming");
        chat.byId("send").click();
        assertStopped(chat);
    }

    @Test
    void escapeStopsAnAnswer(ChatPage chat) {
        begin(chat);
        chat.byId("text").press("Escape");
        assertStopped(chat);
    }

    @Test
    void anAnswerGoesOnBehindAnotherConversation(ChatPage chat) {
        begin(chat);
        chat.byId("new-chat").click();
        assertThat(chat.turns()).hasCount(0);
        assertThat(chat.page.locator("#conversation-list li.running")).hasCount(1);
        chat.letThrough();
        assertThat(chat.page.locator("#conversation-list li.running")).hasCount(0);
        chat.page.locator("#conversation-list .open").getByText(QUESTION).click();
        assertThat(chat.answer()).hasText(SOMETHING);
        chat.awaitAnswer();
    }

    private static void begin(ChatPage chat) {
        chat.greedy();
        chat.hold();
        chat.type(QUESTION);
        chat.byId("text").press("Enter");
        assertThat(chat.answer()).hasText(SOMETHING);
        assertThat(chat.turns().last()).hasAttribute("aria-busy", "true");
    }

    private static void assertStopped(ChatPage chat) {
        assertThat(chat.turns().last().locator(".early")).hasText("stopped");
        assertThat(chat.turns().last()).hasAttribute("aria-busy", "false");
        assertThat(chat.byId("send")).hasAccessibleName("Send");
        String text = chat.answer().innerText();
        assertThat(text).isNotBlank();
        chat.letThrough();
        chat.action("Regenerate").click();
        chat.awaitAnswer();
        assertThat(chat.answer().innerText()).hasSizeGreaterThan(text.length());
    }
}
