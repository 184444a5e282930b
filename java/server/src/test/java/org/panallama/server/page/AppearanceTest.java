package org.panallama.server.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.options.ColorScheme;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PageExtension.class)
class AppearanceTest {

    private static final String GROUND = "getComputedStyle(document.body).backgroundColor";

    @Test
    void isDarkWhereTheSystemIs(@Device(colors = ColorScheme.DARK) ChatPage chat) {
        assertThat(brightness(chat)).isLessThan(60);
        chat.answerWith(Samples.MARKDOWN);
        chat.ask("快速排序是什么？");
        chat.settings();
        chat.screenshot("dark");
        chat.byId("theme").click();
        assertThat(chat.byId("theme")).hasAccessibleName("Theme: light");
        assertThat(brightness(chat)).isGreaterThan(200);
    }

    @Test
    void canBeSwitchedToDark(ChatPage chat) {
        assertThat(brightness(chat)).isGreaterThan(200);
        chat.screenshot("empty");
        chat.byId("theme").click();
        chat.byId("theme").click();
        assertThat(chat.byId("theme")).hasAccessibleName("Theme: dark");
        assertThat(brightness(chat)).isLessThan(60);
        chat.reload();
        assertThat(brightness(chat)).isLessThan(60);
    }

    @Test
    void fitsAPhone(@Device(width = 360, height = 740, touch = true) ChatPage chat) {
        assertFits(chat);
        chat.screenshot("phone-empty");
        chat.answerWith(Samples.MARKDOWN);
        chat.type("快速排序是什么？");
        chat.byId("send").tap();
        chat.awaitAnswer();
        assertFits(chat);
        chat.screenshot("phone-chat");

        chat.byId("sidebar-button").tap();
        assertThat(chat.byId("sidebar")).isVisible();
        chat.screenshot("phone-conversations");
        chat.byId("new-notebook").tap();
        assertThat(chat.byId("sidebar")).isHidden();
        assertThat(chat.byId("notebook-text")).isVisible();
        assertFits(chat);
        chat.screenshot("phone-notebook");

        chat.byId("settings-button").tap();
        assertThat(chat.byId("temperature")).isVisible();
        assertFits(chat);
        chat.screenshot("phone-settings");
        chat.page.touchscreen().tap(5, 400);
        assertThat(chat.byId("settings")).isHidden();
    }

    private static int brightness(ChatPage chat) {
        String color = (String) chat.page.evaluate(GROUND);
        return Integer.parseInt(color.replaceAll("rgb\\((\\d+),.*", "$1"));
    }

    private static void assertFits(ChatPage chat) {
        assertThat(chat.page.evaluate("document.documentElement.scrollWidth - innerWidth"))
                .isEqualTo(0);
    }
}
