package org.panallama.server;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Requests to a server, as a client makes them. */
final class Http {

    private final Supplier<URI> base;
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** @param base asked for each time, for a server that does not run yet */
    Http(Supplier<URI> base) {
        this.base = base;
    }

    Http(LlamaServer server) {
        URI uri = server.uri();
        this.base = () -> uri;
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(base.get().resolve(path)).header("Content-Type", "application/json");
    }

    HttpResponse<String> send(HttpRequest request) {
        try {
            return client.send(request, BodyHandlers.ofString());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    HttpResponse<String> get(String path) {
        return send(request(path).build());
    }

    HttpResponse<String> post(String path, String body) {
        return send(request(path).POST(BodyPublishers.ofString(body)).build());
    }

    JsonElement getJson(String path) {
        return json(get(path));
    }

    JsonObject postJson(String path, String body) {
        return json(post(path, body)).getAsJsonObject();
    }

    private static JsonElement json(HttpResponse<String> response) {
        if (response.statusCode() != 200) {
            throw new AssertionError(response.statusCode() + " " + response.body());
        }
        return JsonParser.parseString(response.body());
    }

    /** The error object of a refused request, with its {@code status} added. */
    JsonObject error(String path, String body) {
        HttpResponse<String> response = post(path, body);
        if (response.statusCode() < 400) {
            throw new AssertionError("not refused: " + response.body());
        }
        JsonObject error =
                JsonParser.parseString(response.body()).getAsJsonObject().getAsJsonObject("error");
        error.addProperty("status", response.statusCode());
        return error;
    }

    /** The data of a stream's events, without the {@code [DONE]} that it must end with. */
    List<JsonObject> stream(String path, String body) {
        List<String> data = new ArrayList<>();
        HttpResponse<String> response = post(path, body);
        if (response.statusCode() != 200) {
            throw new AssertionError(response.statusCode() + " " + response.body());
        }
        for (String line : response.body().split("\n")) {
            if (line.startsWith("data: ")) {
                data.add(line.substring(6));
            }
        }
        if (!data.remove(data.size() - 1).equals("[DONE]")) {
            throw new AssertionError("the stream has no end: " + response.body());
        }
        return data.stream()
                .map(text -> JsonParser.parseString(text).getAsJsonObject())
                .toList();
    }

    static JsonObject choice(JsonObject answer) {
        JsonArray choices = answer.getAsJsonArray("choices");
        return choices.get(0).getAsJsonObject();
    }

    static String content(JsonObject answer) {
        return choice(answer).getAsJsonObject("message").get("content").getAsString();
    }
}
