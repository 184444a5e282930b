package org.panallama.server.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PageExtension.class)
class SettingsTest {

    private static final String FRANCE = "法国的英文名是什么？";

    @Test
    void whatIsLeftAloneIsLeftToTheServer(ChatPage chat) {
        chat.type(FRANCE);
        JsonObject request = chat.requestOf(() -> chat.byId("send").click());
        assertThat(request.keySet()).containsExactlyInAnyOrder("model", "messages", "stream", "stream_options");
        chat.awaitAnswer();
    }

    @Test
    void everySettingReachesTheServer(ChatPage chat) {
        chat.settings();
        chat.byId("temperature").fill("0.5");
        chat.byId("top_p").fill("0.9");
        chat.byId("top_k").fill("20");
        chat.byId("min_p").fill("0.02");
        chat.byId("repeat_penalty").fill("1.1");
        chat.byId("max_tokens").fill("64");
        chat.byId("seed").fill("7");
        chat.byId("stop-strings").fill("END\n\\n\\n");
        chat.screenshot("settings");
        chat.reload();
        chat.type(FRANCE);
        JsonObject request = chat.requestOf(() -> chat.byId("send").click());
        request.keySet().removeAll(Set.of("model", "messages", "stream", "stream_options"));
        assertThat(request).isEqualTo(JsonParser.parseString("""
                        {"temperature": 0.5, "top_p": 0.9, "top_k": 20, "min_p": 0.02, "repeat_penalty": 1.1,
                        "max_tokens": 64, "seed": 7, "stop": ["END", "\\n\\n"]}"""));
        chat.awaitAnswer();
        chat.byId("reset").click();
        assertThat(chat.byId("temperature")).hasValue("");
        assertThat(chat.byId("stop-strings")).hasValue("");
    }

    @Test
    void aNumberOutOfRangeIsMarkedAndNotSent(ChatPage chat) {
        chat.greedy();
        chat.byId("temperature").fill("-1");
        assertThat(chat.byId("temperature")).hasAttribute("aria-invalid", "true");
        chat.type(FRANCE);
        JsonObject request = chat.requestOf(() -> chat.byId("send").click());
        assertThat(request.get("temperature").getAsInt()).isZero();
        chat.awaitAnswer();
    }

    @Test
    void theSameSeedGivesTheSameAnswer(ChatPage chat) {
        chat.settings();
        chat.byId("temperature").fill("2");
        chat.byId("min_p").fill("0");
        chat.byId("top_p").fill("1");
        chat.byId("max_tokens").fill("24");
        chat.byId("seed").fill("11");
        chat.ask("随便说几句。");
        String first = chat.answer().innerText();
        chat.action("Regenerate").click();
        assertThat(chat.turns().last().locator(".branches span")).hasText("2 of 2");
        assertThat(chat.answer().innerText()).isEqualTo(first);
        chat.byId("seed").fill("12");
        chat.action("Regenerate").click();
        assertThat(chat.turns().last().locator(".branches span")).hasText("3 of 3");
        assertThat(chat.answer().innerText()).isNotEqualTo(first);
    }

    @Test
    void stopStringsAndLengthEndAnswers(ChatPage chat) {
        chat.greedy();
        chat.byId("stop-strings").fill("an");
        chat.ask(FRANCE);
        assertThat(chat.answer()).hasText("Fr");
        chat.byId("stop-strings").fill("");
        chat.byId("max_tokens").fill("1");
        chat.action("Regenerate").click();
        assertThat(chat.turns().last().locator(".early")).hasText("cut at the maximum length");
    }

    @Test
    void theSystemMessageGoesFirst(ChatPage chat) {
        chat.greedy();
        chat.byId("system").fill("请简短回答。");
        assertThat(chat.page.locator(".system")).containsText("请简短回答。");
        chat.type(FRANCE);
        JsonObject request = chat.requestOf(() -> chat.byId("send").click());
        assertThat(request.getAsJsonArray("messages").get(0))
                .isEqualTo(JsonParser.parseString("{\"role\": \"system\", \"content\": \"请简短回答。\"}"));
        chat.awaitAnswer();
        chat.byId("new-chat").click();
        assertThat(chat.byId("system")).hasValue("");
    }

    @Test
    void anotherModelAnswers(ChatPage chat) {
        assertThat(chat.byId("model").locator("option"))
                .hasText(new String[] {PageServer.MODEL, PageServer.OTHER_MODEL});
        chat.byId("model").selectOption(PageServer.OTHER_MODEL);
        chat.greedy();
        chat.ask(FRANCE);
        assertThat(chat.answer()).hasText("France");
        assertThat(chat.turns().last().locator(".by")).hasText(PageServer.OTHER_MODEL);
        chat.reload();
        assertThat(chat.byId("model")).hasValue(PageServer.OTHER_MODEL);
    }

    @Test
    void adaptersAreAsStrongAsTheirSliders(ChatPage chat) {
        chat.greedy();
        chat.byId("max_tokens").fill("8");
        chat.ask(FRANCE);
        assertThat(chat.answer()).hasText("France");
        assertThat(chat.page.getByLabel(PageServer.ADAPTER)).hasValue("0");
        chat.page.getByLabel(PageServer.ADAPTER).fill("2");
        assertThat(chat.page.locator("output")).hasText("2");
        chat.action("Regenerate").click();
        assertThat(chat.turns().last().locator(".branches span")).hasText("2 of 2");
        assertThat(chat.answer()).not().hasText("France");
        chat.page.getByLabel(PageServer.ADAPTER).fill("0");
        chat.action("Regenerate").click();
        assertThat(chat.turns().last().locator(".branches span")).hasText("3 of 3");
        assertThat(chat.answer()).hasText("France");
    }

    @Test
    void probabilitiesShowWhatElseWasLikely(ChatPage chat) {
        chat.greedy();
        chat.byId("probabilities").check();
        chat.ask(FRANCE);
        assertThat(chat.answer()).hasText("France");
        chat.action("Token probabilities").click();
        var tokens = chat.answer().locator(".token");
        tokens.first().hover();
        var card = chat.answer().locator(".token-card");
        assertThat(card).isVisible();
        assertThat(card.locator(".candidate")).hasCount(5);
        assertThat(card.locator(".candidate.taken")).hasCount(1);
        assertThat(card.locator(".candidate span").first()).hasText(Pattern.compile("(< )?[\\d.]+ %"));
        chat.screenshot("probabilities");
        tokens.first().focus();
        tokens.first().press("ArrowRight");
        assertThat(tokens.nth(1)).isFocused();
        chat.action("Formatted text").click();
        assertThat(chat.answer().locator(".markdown")).hasText("France");
    }
}
