package org.panallama.server;

import com.google.gson.JsonArray;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.panallama.tiny.TinyModel;

/** Servers of the tiny model, on few threads. */
final class TinyServer {

    private TinyServer() {}

    static ModelSettings.Builder settings() {
        return ModelSettings.builder().threads(1).parallel(4).length(2048);
    }

    static LlamaServer.Builder builder() {
        return LlamaServer.builder(TinyModel.path()).settings(settings().build());
    }

    /** With a template that knows tools. The model does not, so what it calls must be held by a grammar. */
    static LlamaServer.Builder withTools() {
        try (InputStream in = TinyServer.class.getResourceAsStream("tools.jinja")) {
            String template = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            return LlamaServer.builder(TinyModel.path())
                    .settings(settings().chatTemplate(template).build());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Entries of a {@code logit_bias} with which the model calls a tool that is required: the grammar lets an answer talk before it
     * calls, and put spaces into the call, which the braces' bias overrules.
     */
    static String braces(Http http) {
        return bias(http, "{") + "," + bias(http, "}");
    }

    private static String bias(Http http, String text) {
        JsonArray tokens =
                http.postJson("/tokenize", "{\"content\":\"" + text + "\"}").getAsJsonArray("tokens");
        return "\"" + tokens.get(tokens.size() - 1).getAsInt() + "\":100";
    }
}
