package org.panallama.server;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.panallama.ContextFullException;
import org.panallama.GrammarException;
import org.panallama.LlamaException;
import org.panallama.ModelLoadException;
import org.panallama.engine.QueueFullException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes requests to their endpoints, and turns what goes wrong into errors of OpenAI's form. Thread-safe. */
final class ApiHandler extends Handler.Abstract {

    private static final Logger LOG = LoggerFactory.getLogger(ApiHandler.class);
    private static final String MODELS = "/v1/models/";

    private final Map<String, Map<String, Endpoint>> endpoints = new LinkedHashMap<>(); // by path and method
    private final ModelsEndpoint models;
    private final ApiKeys keys;
    private final ServerMetrics metrics;
    private final ModelStore store;
    private final Semaphore places;
    private final int maxBody;

    ApiHandler(Service service, ApiKeys keys, int concurrency, int maxBody) {
        this.keys = keys;
        this.maxBody = maxBody;
        metrics = service.metrics();
        store = service.store();
        places = new Semaphore(concurrency);
        models = new ModelsEndpoint(service.store());
        TokenEndpoints tokens = new TokenEndpoints(service);
        LoraEndpoints lora = new LoraEndpoints(service.store());
        StatusEndpoints status = new StatusEndpoints(service.store(), metrics);
        route("POST", "/v1/chat/completions", new ChatEndpoint(service));
        route("POST", "/v1/completions", new CompletionsEndpoint(service));
        route("POST", "/v1/responses", new ResponsesEndpoint(service));
        route("POST", "/v1/embeddings", new EmbeddingsEndpoint(service));
        route("POST", "/v1/rerank", new RerankEndpoint(service));
        route("GET", "/v1/models", models);
        route("POST", "/tokenize", tokens::tokenize);
        route("POST", "/detokenize", tokens::detokenize);
        route("POST", "/apply-template", tokens::applyTemplate);
        route("POST", "/infill", new InfillEndpoint(service));
        route("GET", "/lora-adapters", lora::get);
        route("POST", "/lora-adapters", lora::set);
        route("GET", "/slots", status::slots);
        route("GET", "/health", status::health);
        route("GET", "/metrics", status::metrics);
        route("GET", "/openapi.json", status::openApi);
    }

    private void route(String method, String path, Endpoint endpoint) {
        endpoints.computeIfAbsent(path, unknown -> new TreeMap<>()).put(method, endpoint);
    }

    /** Returns {@code false} for paths that are not the API's. */
    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        String path = Request.getPathInContext(request);
        Map<String, Endpoint> methods = path.startsWith(MODELS) && path.length() > MODELS.length()
                ? Map.of("GET", exchange -> models.handle(exchange, path.substring(MODELS.length())))
                : endpoints.get(path);
        if (methods == null) {
            return false;
        }
        long begun = System.nanoTime();
        Exchange exchange = new Exchange(request, response, maxBody);
        metrics.inFlight().incrementAndGet();
        try {
            answer(exchange, request, methods);
            RestOfRequest.before(request, callback).succeeded();
        } catch (ClientGoneException e) {
            LOG.debug("{}: {}", path, e.getMessage());
            exchange.hangUp();
            callback.succeeded();
        } finally {
            metrics.inFlight().decrementAndGet();
            metrics.handled(path.startsWith(MODELS) ? MODELS : path, response.getStatus(), System.nanoTime() - begun);
        }
        return true;
    }

    private void answer(Exchange exchange, Request request, Map<String, Endpoint> methods) {
        boolean health = exchange.path().equals("/health");
        Place place = new Place(!health);
        exchange.beforeEnd(place::close);
        try (place) {
            if (!health) {
                keys.check(request.getHeaders());
            }
            Endpoint endpoint = methods.get(request.getMethod());
            if (endpoint == null) {
                exchange.header(HttpHeader.ALLOW.asString(), String.join(", ", methods.keySet()));
                throw new ApiException(
                        405,
                        "invalid_request_error",
                        request.getMethod() + " is not allowed here, only " + String.join(", ", methods.keySet()) + ".",
                        null,
                        "method_not_allowed");
            }
            if (!health && !place.taken) {
                throw ApiException.busy("Too many requests at once. Try again later.");
            }
            endpoint.handle(exchange);
        } catch (ClientGoneException e) {
            throw e;
        } catch (RuntimeException | Error e) {
            error(exchange, apiException(exchange, e));
        }
    }

    /** One of the places for requests that are handled at once, if it is wanted and there is one. On one thread alone. */
    private final class Place implements AutoCloseable {

        private boolean taken;

        Place(boolean wanted) {
            taken = wanted && places.tryAcquire();
        }

        @Override
        public void close() {
            if (taken) {
                taken = false;
                places.release();
            }
        }
    }

    private ApiException apiException(Exchange exchange, Throwable thrown) {
        if (thrown instanceof ApiException api) {
            return api;
        }
        String message = String.valueOf(thrown.getMessage());
        if (thrown instanceof QueueFullException) {
            return ApiException.busy("Too many requests are waiting. Try again later.");
        }
        if (thrown instanceof ContextFullException) {
            return ApiException.badRequest(message, "context_length_exceeded");
        }
        if (thrown instanceof GrammarException) {
            return ApiException.badField("grammar", message);
        }
        if (thrown instanceof ModelLoadException) {
            LOG.warn("{}", message);
            return new ApiException(500, "server_error", message, "model", "model_load_failed");
        }
        if (store.isClosing()) {
            return ApiException.unavailable("The server is shutting down.");
        }
        LOG.error("{} failed", exchange.path(), thrown);
        // What llama.cpp says helps; what else may be thrown is nobody's business but the log's.
        String shown = thrown instanceof LlamaException ? message : "The server failed. Its log says why.";
        return new ApiException(500, "server_error", shown, null, null);
    }

    private static void error(Exchange exchange, ApiException error) {
        if (exchange.isCommitted()) {
            // A stream has begun: the error is its last event.
            exchange.write(("data: " + Json.text(error.json()) + "\n\n").getBytes(StandardCharsets.UTF_8), true);
            return;
        }
        if (error.retryAfterSeconds() > 0) {
            exchange.header(HttpHeader.RETRY_AFTER.asString(), Integer.toString(error.retryAfterSeconds()));
        }
        if (error.status == 401) {
            exchange.header(HttpHeader.WWW_AUTHENTICATE.asString(), "Bearer");
        }
        exchange.send(error.status, "application/json", Json.bytes(error.json()));
    }
}
