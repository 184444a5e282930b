package org.panallama.server;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.panallama.engine.EngineStats;

/** What shows how the server does: {@code GET /health}, {@code /slots}, {@code /metrics} and {@code /openapi.json}. */
final class StatusEndpoints {

    private final ModelStore store;
    private final ServerMetrics metrics;

    StatusEndpoints(ModelStore store, ServerMetrics metrics) {
        this.store = store;
        this.metrics = metrics;
    }

    void health(Exchange exchange) {
        exchange.send(Json.object("status", "ok"));
    }

    /** A place for each answer that a loaded model computes at once, and the answers in them. */
    void slots(Exchange exchange) {
        JsonArray slots = new JsonArray();
        for (ServedModel served : store.loaded()) {
            EngineStats stats = served.stats();
            // The engine takes requests in the order in which they came: the first ones run, the others wait.
            List<RequestLog.Entry> entries = served.requests.entries();
            for (int i = 0; i < served.parallel(); i++) {
                JsonObject slot = Json.object(
                        "id",
                        i,
                        "model",
                        served.name,
                        "n_ctx",
                        stats == null ? 0 : stats.contextLength(),
                        "is_processing",
                        i < entries.size());
                if (i < entries.size()) {
                    RequestLog.Entry entry = entries.get(i);
                    slot.addProperty("request", entry.id);
                    slot.addProperty("n_prompt_tokens", entry.promptTokens);
                    slot.addProperty("n_decoded", entry.pieces.get());
                    slot.addProperty("seconds", (System.nanoTime() - entry.since) / 1e9);
                }
                slots.add(slot);
            }
        }
        exchange.send(slots);
    }

    void metrics(Exchange exchange) {
        exchange.send(
                200, "text/plain; version=0.0.4; charset=utf-8", metrics.text().getBytes(StandardCharsets.UTF_8));
    }

    void openApi(Exchange exchange) {
        try (InputStream in = StatusEndpoints.class.getResourceAsStream("openapi.json")) {
            if (in == null) {
                throw new IllegalStateException("openapi.json is not in the server's jar");
            }
            exchange.send(200, "application/json", in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
