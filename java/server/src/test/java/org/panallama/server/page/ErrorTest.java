package org.panallama.server.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Route;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PageExtension.class)
class ErrorTest {

    private static final String FRANCE = "法国的英文名是什么？";

    @Test
    void theServersRefusalIsShown(ChatPage chat) {
        chat.type("很长。".repeat(4_000));
        chat.byId("send").click();
        assertThat(error(chat)).hasText(Pattern.compile("The server refused the request: .+"));
    }

    @Test
    void everyStatusHasItsWords(ChatPage chat) {
        chat.greedy();
        chat.type(FRANCE);
        chat.refuseWith(429, "{\"error\": {\"message\": \"busy\"}}");
        chat.byId("send").click();
        assertThat(error(chat)).containsText("too many requests waiting");
        again(chat, 401, "{\"error\": {\"message\": \"key\"}}", "asks for an API key");
        again(chat, 413, "", "too large");
        again(chat, 503, "{\"error\": {\"message\": \"loading\"}}", "not ready: loading");
        again(chat, 500, "<html>oops</html>", "The server failed: <html>oops</html>");
        chat.screenshot("error");
        chat.answerAgain();
        chat.action("Regenerate").click();
        assertThat(chat.answer()).hasText("France");
        assertThat(error(chat)).isHidden();
    }

    @Test
    void aServerThatIsGoneIsSaidToBe(ChatPage chat) {
        chat.page.route("**/v1/**", Route::abort);
        chat.type(FRANCE);
        chat.byId("send").click();
        assertThat(error(chat)).containsText("The server cannot be reached");
    }

    @Test
    void anErrorInTheMiddleOfAStreamKeepsWhatCame(ChatPage chat) {
        chat.page.route(
                "**/v1/chat/completions",
                route -> route.fulfill(new Route.FulfillOptions()
                        .setContentType("text/event-stream")
                        .setBody("data: {\"choices\":[{\"delta\":{\"content\":\"Half\"}}]}\n\n"
                                + "data: {\"error\":{\"message\":\"out of memory\"}}\n\n")));
        chat.type(FRANCE);
        chat.byId("send").click();
        assertThat(chat.answer()).hasText("Half");
        assertThat(error(chat)).hasText("The server failed: out of memory");
    }

    @Test
    void theKeyIsSent(ChatPage chat) {
        chat.settings();
        chat.byId("api-key").fill("secret");
        chat.byId("api-key").blur();
        chat.type(FRANCE);
        var request = chat.page.waitForRequest(
                "**/v1/chat/completions", () -> chat.byId("send").click());
        org.assertj.core.api.Assertions.assertThat(request.headerValue("authorization"))
                .isEqualTo("Bearer secret");
        chat.awaitAnswer();
    }

    private static Locator error(ChatPage chat) {
        return chat.turns().last().locator(".error");
    }

    private static void again(ChatPage chat, int status, String body, String words) {
        chat.answerAgain();
        chat.refuseWith(status, body);
        chat.action("Regenerate").click();
        assertThat(error(chat)).containsText(words);
    }
}
