package org.panallama.server;

import com.google.gson.JsonElement;
import java.nio.charset.StandardCharsets;

/** Server-sent events (WHATWG HTML, section 9.2), sent as they come. */
final class EventStream {

    private final Exchange exchange;

    EventStream(Exchange exchange) {
        this.exchange = exchange;
        exchange.header("Content-Type", "text/event-stream; charset=utf-8");
        exchange.header("Cache-Control", "no-cache, no-transform");
        exchange.header("X-Accel-Buffering", "no"); // nginx would hold the events back
        exchange.status(200);
    }

    void send(JsonElement data) {
        write("data: " + Json.text(data) + "\n\n", false);
    }

    void send(String event, JsonElement data) {
        write("event: " + event + "\ndata: " + Json.text(data) + "\n\n", false);
    }

    /** What ends a stream of completions. */
    void done() {
        write("data: [DONE]\n\n", true);
    }

    private void write(String text, boolean last) {
        exchange.write(text.getBytes(StandardCharsets.UTF_8), last);
    }
}
