package org.panallama.server.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PageExtension.class)
class KeyboardTest {

    @Test
    void aConversationNeedsNoMouse(ChatPage chat) {
        assertThat(chat.byId("text")).isFocused();
        chat.page.keyboard().type("法国的英文名");
        chat.page.keyboard().press("Shift+Enter");
        chat.page.keyboard().type("是什么？");
        assertThat(chat.byId("text")).hasValue("法国的英文名\n是什么？");
        assertThat(chat.turns()).hasCount(0);
        chat.page.keyboard().press("Enter");
        chat.awaitAnswer();
        assertThat(chat.turns()).hasCount(2);
        assertThat(chat.byId("text")).isFocused();
        // Backwards from the message box: the last button under the answer.
        chat.page.keyboard().press("Shift+Tab");
        assertThat(chat.action("Regenerate")).isFocused();
        chat.page.keyboard().press("Enter");
        assertThat(chat.turns().last().locator(".branches span")).hasText("2 of 2");
        chat.awaitAnswer();
    }

    @Test
    void theFirstStopSkipsToTheMessageBox(ChatPage chat) {
        assertThat(chat.page.locator("a, button, input, select, textarea").first())
                .hasClass("skip");
        chat.page.locator(".skip").press("Enter");
        assertThat(chat.byId("text")).isFocused();
    }

    @Test
    void escapeLeavesAnEditAsItWas(ChatPage chat) {
        chat.answerWith("Hello.");
        chat.ask("Hi");
        chat.action("Edit").press("Enter");
        chat.page.keyboard().type(" More.");
        chat.page.keyboard().press("Escape");
        assertThat(chat.answer()).hasText("Hello.");
        assertThat(chat.turns().last().locator(".branches")).hasCount(0);
    }

    @Test
    void everyControlHasAName(ChatPage chat) {
        chat.answerWith(Samples.MARKDOWN);
        chat.ask("Hi");
        chat.settings();
        Object nameless = chat.page.evaluate("""
                () => [...document.querySelectorAll("button, input, select, textarea, a")]
                    .filter((control) => control.checkVisibility())
                    .filter((control) => !(control.ariaLabel || control.innerText.trim() || control.labels?.length))
                    .map((control) => control.outerHTML)""");
        assertThat((Iterable<?>) nameless).isEmpty();
    }
}
