package org.panallama.server.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.microsoft.playwright.Download;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.options.FilePayload;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(PageExtension.class)
class StorageTest {

    private static final String FRANCE = "法国的英文名是什么？";

    @Test
    void conversationsOutliveThePage(ChatPage chat) {
        chat.greedy();
        chat.ask(FRANCE);
        chat.action("Regenerate").click();
        assertThat(chat.turns().last().locator(".branches span")).hasText("2 of 2");
        chat.awaitAnswer();
        chat.reload();
        assertThat(chat.answer()).hasText("France");
        assertThat(chat.turns().last().locator(".branches span")).hasText("2 of 2");
        assertThat(chat.page.locator("#conversation-list .open")).hasText(FRANCE);
    }

    @Test
    void whatIsExportedCanBeImported(ChatPage chat) throws IOException {
        chat.greedy();
        chat.ask(FRANCE);
        Download download = chat.page.waitForDownload(() -> chat.byId("export").click());
        assertThat(download.suggestedFilename()).matches("panallama-\\d{4}-\\d\\d-\\d\\d\\.json");
        String text = Files.readString(download.path());
        JsonObject file = JsonParser.parseString(text).getAsJsonObject();
        assertThat(file.get("format").getAsString()).isEqualTo("panallama-conversations");

        chat.page.locator("#conversation-list li").hover();
        chat.button("Delete").click();
        assertThat(chat.turns()).hasCount(0);
        importFile(chat, text);
        assertThat(chat.answer()).hasText("France");
        importFile(chat, text);
        assertThat(chat.page.locator("#conversation-list .open").filter(named(FRANCE)))
                .hasCount(2);
        chat.reload();
        assertThat(chat.page.locator("#conversation-list .open").filter(named(FRANCE)))
                .hasCount(2);
    }

    @Test
    void filesThatAreNotOursAreRefusedInWords(ChatPage chat) {
        importFile(chat, "not JSON");
        assertThat(chat.page.locator(".toast.error").last()).containsText("it is not JSON");
        importFile(chat, "{\"format\": \"other\"}");
        assertThat(chat.page.locator(".toast.error").last()).containsText("it was not exported by this page");
        JsonObject cycle = ImportedFile.chat("Cycle", "a", "b");
        ImportedFile.nodes(cycle)
                .getAsJsonObject("answer")
                .getAsJsonArray("children")
                .add("question");
        importFile(chat, cycle.toString());
        assertThat(chat.page.locator(".toast.error").last()).containsText("conversation 1 is damaged");
        JsonObject number = ImportedFile.chat("Number", "a", "b");
        ImportedFile.nodes(number).getAsJsonObject("answer").addProperty("text", 17);
        importFile(chat, number.toString());
        assertThat(chat.page.locator(".toast.error")).hasCount(4);
        JsonObject usage = ImportedFile.chat("Usage", "a", "b");
        ImportedFile.nodes(usage).getAsJsonObject("answer").add("usage", JsonNull.INSTANCE);
        importFile(chat, usage.toString());
        assertThat(chat.page.locator(".toast.error").last()).containsText("conversation 1 is damaged");
        assertThat(chat.page.locator(".toast.error")).hasCount(5);
        assertThat(chat.turns()).hasCount(0);
    }

    @Test
    void deletingCanBeUndone(ChatPage chat) {
        chat.greedy();
        chat.ask(FRANCE);
        chat.page.locator("#conversation-list li").hover();
        chat.stopClock(); // the offer stands for six seconds
        chat.button("Delete").click();
        assertThat(chat.turns()).hasCount(0);
        chat.button("Undo").click();
        assertThat(chat.answer()).hasText("France");
        chat.page.clock().resume();
        chat.reload();
        assertThat(chat.answer()).hasText("France");
    }

    @Test
    void conversationsAreRenamed(ChatPage chat) {
        importFile(chat, ImportedFile.chat("Old", "a", "b").toString());
        Locator row = chat.page.locator("#conversation-list li").filter(named("Old"));
        row.hover();
        chat.action(row, "Rename").click();
        chat.page.locator("#conversation-list input").fill("法国");
        chat.page.locator("#conversation-list input").press("Enter");
        assertThat(chat.page.locator("#conversation-list .open").first()).hasText("法国");
        chat.reload();
        assertThat(chat.page.locator("#conversation-list .open").first()).hasText("法国");
    }

    @Test
    void anAnswerThatEndsDoesNotDisturbARenaming(ChatPage chat) {
        chat.greedy();
        chat.hold();
        chat.type(FRANCE);
        chat.byId("text").press("Enter");
        chat.page.locator("#conversation-list li.running").hover();
        chat.button("Rename").click();
        Locator name = chat.page.locator("#conversation-list input");
        name.fill("法");
        chat.letThrough();
        chat.awaitAnswer();
        name.pressSequentially("国");
        name.press("Enter");
        assertThat(chat.page.locator("#conversation-list .open")).hasText("法国");
    }

    @Test
    void leavingIsWarnedOfWhileSomethingIsNotStored(ChatPage chat) {
        importFile(chat, ImportedFile.chat("Old", "a", "b").toString());
        chat.page.locator("#conversation-list li").filter(named("Old")).waitFor();
        String mayLeave = "window.dispatchEvent(new Event('beforeunload', { cancelable: true }))";
        assertThat(chat.page.evaluate(
                        "() => { document.querySelector('#conversation-list li button:last-child').click();"
                                + " return " + mayLeave + "; }"))
                .isEqualTo(false);
        chat.reload();
        assertThat(chat.page.evaluate(mayLeave)).isEqualTo(true);
        assertThat(chat.page.locator("#conversation-list .open").filter(named("Old")))
                .hasCount(0);
    }

    @Test
    void whatCouldNotBeStoredIsTold(ChatPage chat) {
        chat.page.evaluate("() => { IDBTransaction.prototype.commit = function () { this.abort(); }; }");
        importFile(chat, ImportedFile.chat("Old", "a", "b").toString());
        assertThat(chat.page.locator(".toast.error")).containsText("does not let the page keep");
    }

    private static Locator.FilterOptions named(String title) {
        return new Locator.FilterOptions().setHasText(title);
    }

    private static void importFile(ChatPage chat, String text) {
        chat.byId("import-file")
                .setInputFiles(
                        new FilePayload("chats.json", "application/json", text.getBytes(StandardCharsets.UTF_8)));
    }
}
