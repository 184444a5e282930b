package org.panallama.server.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.microsoft.playwright.options.FilePayload;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PageExtension.class)
class SafetyTest {

    @Test
    void whatAModelWritesIsOnlyText(ChatPage chat) {
        List<String> requests = new ArrayList<>();
        chat.page.onRequest(request -> requests.add(request.url()));
        chat.answerWith(Samples.ATTACK);
        chat.ask("Attack!");
        assertHarmless(chat);
        assertThat(chat.answer()).containsText("Hello <script>window.harmed = 1</script>");
        assertThat(requests).noneMatch(url -> url.contains("example.org") || url.endsWith("/x"));
        chat.screenshot("attack");
    }

    @Test
    void whatAFileBringsIsOnlyText(ChatPage chat) {
        JsonObject file = ImportedFile.chat("Attack", "<img src=x onerror=window.harmed=1>", Samples.ATTACK);
        ImportedFile.nodes(file)
                .getAsJsonObject("answer")
                .add("model", new JsonPrimitive("<img src=x onerror=harmed=1>"));
        chat.byId("import-file")
                .setInputFiles(new FilePayload(
                        "chats.json", "application/json", file.toString().getBytes(StandardCharsets.UTF_8)));
        assertThat(chat.turns()).hasCount(2);
        assertHarmless(chat);
        chat.reload();
        assertThat(chat.turns()).hasCount(2);
        assertHarmless(chat);
    }

    private static void assertHarmless(ChatPage chat) {
        assertThat(chat.page.locator(".message :is(script, img, iframe, style, svg[onload], form, [onclick], [onerror],"
                        + " [ontoggle], [style], a[href^='javascript'], a[href^='data'])"))
                .hasCount(0);
        // A script that runs at all runs by the next task.
        assertThat(chat.page.evaluate("new Promise(done => setTimeout(() => done(typeof window.harmed), 50))"))
                .isEqualTo("undefined");
    }
}
