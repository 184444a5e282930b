package org.panallama.server.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.microsoft.playwright.Locator;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PageExtension.class)
class NotebookTest {

    private static final String BEGINNING = "[INST] 法国的英文名是什么？ [/INST]";

    @Test
    void theModelContinuesTheText(ChatPage chat) {
        Locator text = begin(chat);
        JsonObject request = chat.requestOf(() -> text.press("Control+Enter"));
        assertThat(request.get("prompt").getAsString()).isEqualTo(BEGINNING);
        chat.byId("notebook-figures").locator(".usage").waitFor();
        assertThat(text).hasValue(Pattern.compile("^\\[INST\\].*\\[/INST\\] ?France$"));
        assertThat(chat.byId("notebook-count")).hasText(Pattern.compile("\\d+ tokens"));
        chat.screenshot("notebook");
        chat.reload();
        assertThat(text).hasValue(Pattern.compile(".*France"));
    }

    @Test
    void aContinuationIsTakenBackOrMadeAnew(ChatPage chat) {
        Locator text = begin(chat);
        assertThat(chat.byId("take-back")).isDisabled();
        chat.byId("continue").click();
        chat.byId("notebook-figures").locator(".usage").waitFor();
        chat.byId("take-back").click();
        assertThat(text).hasValue(BEGINNING);
        chat.byId("stop-strings").fill("an");
        chat.byId("continue").click();
        chat.byId("notebook-figures").locator(".usage").waitFor();
        assertThat(text).hasValue(Pattern.compile(".* ?Fr"));
        chat.byId("stop-strings").fill("");
        chat.byId("once-more").click();
        assertThat(text).hasValue(Pattern.compile(".* ?France"));
    }

    @Test
    void probabilitiesOfTheContinuation(ChatPage chat) {
        Locator text = begin(chat);
        chat.byId("view-tokens").click();
        assertThat(chat.byId("notebook-tokens")).containsText("No probabilities yet");
        chat.byId("view-text").click();
        chat.byId("probabilities").check();
        text.press("Control+Enter");
        chat.byId("notebook-figures").locator(".usage").waitFor();
        chat.byId("view-tokens").click();
        assertThat(chat.byId("notebook-tokens")).containsText(BEGINNING);
        chat.page.locator("#notebook-tokens .token").first().hover();
        assertThat(chat.page.locator(".token-card .candidate.taken")).hasCount(1);
        chat.screenshot("notebook-probabilities");
    }

    @Test
    void escapeStops(ChatPage chat) {
        begin(chat).fill("[INST] 以JSON输出德国的信息。 [/INST]");
        chat.hold();
        chat.byId("continue").click();
        assertThat(chat.byId("notebook-text")).hasValue(Pattern.compile(".*/INST\\].+", Pattern.DOTALL));
        assertThat(chat.byId("continue")).hasText("Stop");
        chat.byId("notebook-text").press("Escape");
        assertThat(chat.byId("notebook-figures")).containsText("stopped");
        assertThat(chat.byId("continue")).hasText("Continue the text");
    }

    private static Locator begin(ChatPage chat) {
        chat.greedy();
        chat.byId("new-notebook").click();
        chat.byId("notebook-text").fill(BEGINNING);
        return chat.byId("notebook-text");
    }
}
