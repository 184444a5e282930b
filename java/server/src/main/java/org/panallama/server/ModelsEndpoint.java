package org.panallama.server;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** {@code GET /v1/models} and {@code GET /v1/models/NAME}. */
final class ModelsEndpoint implements Endpoint {

    private final ModelStore store;

    ModelsEndpoint(ModelStore store) {
        this.store = store;
    }

    @Override
    public void handle(Exchange exchange) {
        JsonArray models = new JsonArray();
        store.files().forEach((name, file) -> models.add(model(name, file)));
        exchange.send(Json.object("object", "list", "data", models));
    }

    /** One model. */
    void handle(Exchange exchange, String name) {
        Path file = store.files().get(name);
        if (file == null) {
            throw new ApiException(
                    404,
                    "invalid_request_error",
                    "The model '" + name + "' does not exist.",
                    "model",
                    "model_not_found");
        }
        exchange.send(model(name, file));
    }

    private JsonObject model(String name, Path file) {
        JsonObject json = Json.object(
                "id", name, "object", "model", "created", created(file), "owned_by", "panallama", "loaded", false);
        loaded(name).ifPresent(served -> {
            json.addProperty("loaded", true);
            json.add("meta", meta(served));
        });
        return json;
    }

    private Optional<ServedModel> loaded(String name) {
        return store.loaded().stream().filter(model -> model.name.equals(name)).findFirst();
    }

    private static JsonObject meta(ServedModel served) {
        return Json.object(
                "description",
                served.model.description(),
                "n_vocab",
                served.vocab().size(),
                "n_ctx_train",
                served.model.trainContextLength(),
                "n_embd",
                served.model.outputEmbeddingSize(),
                "n_params",
                served.model.parameterCount(),
                "size",
                served.model.sizeBytes(),
                "chat_template",
                served.model.chatTemplate().isPresent(),
                "infill",
                served.vocab().infillMiddle() >= 0);
    }

    private static long created(Path file) {
        try {
            return Files.getLastModifiedTime(file).toMillis() / 1000;
        } catch (IOException e) {
            return 0; // it was deleted since the folder was read
        }
    }
}
