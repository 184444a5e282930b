package org.panallama.server.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PageExtension.class)
class LanguageTest {

    @Test
    void followsTheBrowser(@Device(locale = "zh-CN") ChatPage chat) {
        assertThat(chat.page.locator("html")).hasAttribute("lang", "zh-CN");
        assertThat(chat.byId("new-chat")).hasText("新对话");
        assertThat(chat.byId("text")).hasAttribute("placeholder", "输入消息");
        chat.greedy();
        chat.ask("法国的英文名是什么？");
        assertThat(chat.answer()).hasText("France");
        assertThat(chat.turns().last().locator(".usage")).containsText("个词元");
        chat.screenshot("chinese");
    }

    @Test
    void canBeSwitched(ChatPage chat) {
        assertThat(chat.page.locator("html")).hasAttribute("lang", "en");
        chat.byId("language").click();
        assertThat(chat.page.locator("html")).hasAttribute("lang", "zh-CN");
        assertThat(chat.byId("send")).hasAccessibleName("发送");
        chat.reload();
        assertThat(chat.page.locator("html")).hasAttribute("lang", "zh-CN");
        chat.byId("language").click();
        assertThat(chat.byId("send")).hasAccessibleName("Send");
    }

    @Test
    void enterThatEndsACompositionDoesNotSend(ChatPage chat) {
        chat.type("法国");
        chat.byId("text").dispatchEvent("keydown", Map.of("key", "Enter", "isComposing", true, "bubbles", true));
        assertThat(chat.turns()).hasCount(0);
        assertThat(chat.byId("text")).hasValue("法国");
    }
}
