package org.panallama.server;

import com.google.gson.JsonArray;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code GET} and {@code POST /lora-adapters}: the strengths that adapters have in requests that say nothing of them. */
final class LoraEndpoints {

    private static final float MAX_SCALE = 1e6f;

    private final ModelStore store;

    LoraEndpoints(ModelStore store) {
        this.store = store;
    }

    void get(Exchange exchange) {
        try (ModelStore.Lease lease = store.take(exchange.parameter("model"))) {
            exchange.send(json(lease.model.adapters()));
        }
    }

    /** Takes all strengths, or none if one is wrong. */
    void set(Exchange exchange) {
        List<Fields> entries = exchange.jsonArray();
        try (ModelStore.Lease lease = store.take(exchange.parameter("model"))) {
            List<ServedModel.Adapter> adapters = lease.model.adapters();
            Map<ServedModel.Adapter, Float> scales = new LinkedHashMap<>();
            for (Fields entry : entries) {
                entry.require("scale");
                scales.put(adapter(entry, adapters), entry.number("scale", 1, -MAX_SCALE, MAX_SCALE));
            }
            // As in llama-server, those that are not named are off.
            adapters.forEach(adapter -> adapter.scale = scales.getOrDefault(adapter, 0f));
            exchange.send(json(adapters));
        }
    }

    static ServedModel.Adapter adapter(Fields entry, List<ServedModel.Adapter> adapters) {
        entry.require("id");
        if (adapters.isEmpty()) {
            throw ApiException.badField(
                    entry.path("id"),
                    "'" + entry.path("id") + "' names an adapter, but the server was started without any");
        }
        return adapters.get(entry.integer("id", 0, 0, adapters.size() - 1));
    }

    private static JsonArray json(List<ServedModel.Adapter> adapters) {
        JsonArray array = new JsonArray();
        for (ServedModel.Adapter adapter : adapters) {
            array.add(Json.object(
                    "id", array.size(), "name", ModelStore.name(adapter.lora.file()), "scale", adapter.scale));
        }
        return array;
    }
}
