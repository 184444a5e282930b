package org.panallama.server.page;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Request;
import com.microsoft.playwright.Route;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ScreenshotAnimations;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** The page as its user sees it. */
final class ChatPage {

    private static final String COMPLETIONS = "**/v1/**completions";

    final Page page;
    private final URI address;

    ChatPage(Page page, URI address) {
        this.page = page;
        this.address = address;
        load();
    }

    /** Loads the page anew, once it has nothing to do and has stored what it was told. */
    void reload() {
        page.locator("html:not([data-saving]):not(:has(#conversation-list .running))")
                .waitFor();
        load();
    }

    private void load() {
        page.navigate(address.toString());
        page.locator("html[data-ready]").waitFor();
        assertThat(page.locator("#model")).isEnabled();
    }

    Locator byId(String id) {
        return page.locator("#" + id);
    }

    Locator button(String name) {
        return page.getByRole(
                AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
    }

    /** The turns on the screen. */
    Locator turns() {
        return page.locator(".message");
    }

    /** The text of the last turn, without what is under it. */
    Locator answer() {
        return turns().last().locator(".body");
    }

    /** An action of the last turn. */
    Locator action(String name) {
        return action(turns().last(), name);
    }

    Locator action(Locator turn, String name) {
        return turn.getByRole(
                AriaRole.BUTTON, new Locator.GetByRoleOptions().setName(name).setExact(true));
    }

    void type(String text) {
        byId("text").fill(text);
    }

    /** Asks with Enter and waits for the end of the answer. */
    void ask(String text) {
        type(text);
        byId("text").press("Enter");
        awaitAnswer();
    }

    /** Waits until nothing is being generated, and the last turn tells what it cost. */
    void awaitAnswer() {
        turns().last().locator(".figures .usage").waitFor();
    }

    /** Settings that have the model answer as it is tested to: always the likeliest token. */
    void greedy() {
        settings();
        byId("temperature").fill("0");
    }

    void settings() {
        if (!byId("settings").isVisible()) {
            byId("settings-button").click();
        }
    }

    /** The body of the next request for a completion, which the action causes. */
    JsonObject requestOf(Runnable action) {
        Request request = page.waitForRequest(COMPLETIONS, action);
        return JsonParser.parseString(request.postData()).getAsJsonObject();
    }

    /** Has the server answer the next completions with this text, streamed in pieces as a server would. */
    void answerWith(String text) {
        answerWith(text, "");
    }

    void answerWith(String text, String reasoning) {
        StringBuilder events = new StringBuilder();
        reasoning.codePoints().forEach(character -> events.append(event("reasoning_content", character)));
        text.codePoints().forEach(character -> events.append(event("content", character)));
        events.append("data: {\"choices\":[{\"index\":0,\"finish_reason\":\"stop\",\"delta\":{}}]}\n\n")
                .append("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\n")
                .append("data: [DONE]\n\n");
        page.route(
                COMPLETIONS,
                route -> route.fulfill(new Route.FulfillOptions()
                        .setContentType("text/event-stream")
                        .setBodyBytes(events.toString().getBytes(StandardCharsets.UTF_8))));
    }

    private static String event(String field, int character) {
        JsonObject delta = new JsonObject();
        delta.addProperty(field, Character.toString(character));
        return "data: {\"choices\":[{\"index\":0,\"finish_reason\":null,\"delta\":" + delta + "}]}\n\n";
    }

    /** Has answers stand still after their first token, until {@link #letThrough}, however slow or fast the machine is. */
    void hold() {
        page.evaluate("""
                () => {
                    const fetched = window.fetch;
                    const open = new Promise((resolve) => (window.letThrough = resolve));
                    window.fetch = async (address, options) => {
                        const response = await fetched(address, options);
                        if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) return response;
                        const { signal } = options;
                        const aborted = new Promise((_, reject) => {
                            signal.addEventListener("abort", () => reject(signal.reason));
                        });
                        aborted.catch(() => {}); // where nothing is held
                        let events = 0;
                        const gate = new TransformStream({
                            async transform(text, out) {
                                for (const piece of text.split(/(?<=\\n\\n)/)) {
                                    if (events >= 2) await Promise.race([open, aborted]);
                                    if (piece.endsWith("\\n\\n")) events++;
                                    out.enqueue(piece);
                                }
                            },
                        });
                        const body = response.body
                            .pipeThrough(new TextDecoderStream())
                            .pipeThrough(gate)
                            .pipeThrough(new TextEncoderStream());
                        return new Response(body, response);
                    };
                }""");
    }

    void letThrough() {
        page.evaluate("letThrough()");
    }

    /** Has no time pass on the page. */
    void stopClock() {
        page.clock().install();
        page.clock().pauseAt(System.currentTimeMillis() + 3_600_000); // whatever time goes by until then
    }

    /** Has completions refused. */
    void refuseWith(int status, String body) {
        page.route(
                COMPLETIONS,
                route -> route.fulfill(new Route.FulfillOptions()
                        .setStatus(status)
                        .setContentType("application/json")
                        .setBody(body)));
    }

    /** Lets completions reach the server again. */
    void answerAgain() {
        page.unroute(COMPLETIONS);
    }

    /** Keeps a picture of the page, for people to look at, under {@code target/screenshots}. */
    void screenshot(String name) {
        page.screenshot(new Page.ScreenshotOptions()
                .setPath(Path.of("target", "screenshots", name + ".png"))
                .setAnimations(ScreenshotAnimations.DISABLED));
    }
}
