package org.panallama.server;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToLongFunction;
import org.panallama.Timings;
import org.panallama.engine.EngineStats;
import org.panallama.engine.Result;

/** What the server counts, for Prometheus. Thread-safe. */
final class ServerMetrics {

    private static final Duration[] FIRST_TOKEN = {
        Duration.ofMillis(10),
        Duration.ofMillis(25),
        Duration.ofMillis(50),
        Duration.ofMillis(100),
        Duration.ofMillis(250),
        Duration.ofMillis(500),
        Duration.ofSeconds(1),
        Duration.ofMillis(2500),
        Duration.ofSeconds(5),
        Duration.ofSeconds(10),
        Duration.ofSeconds(30),
        Duration.ofSeconds(60)
    };

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final AtomicInteger inFlight = new AtomicInteger();

    ServerMetrics(ModelStore store) {
        Gauge.builder("panallama.http.in.flight", inFlight, AtomicInteger::get)
                .description("HTTP requests being handled")
                .register(registry);
        Gauge.builder(
                        "panallama.models.loaded",
                        store,
                        models -> models.loaded().size())
                .description("Models in memory")
                .register(registry);
        gauge(store, "panallama.requests.running", "Answers being computed", EngineStats::running);
        gauge(store, "panallama.requests.waiting", "Requests in the queues", EngineStats::waiting);
        gauge(store, "panallama.kv.tokens", "Tokens that the KV caches hold", EngineStats::cachedTokens);
        gauge(store, "panallama.kv.capacity.tokens", "Tokens that fit into the KV caches", EngineStats::contextLength);
    }

    /** Over all models in memory. */
    private void gauge(ModelStore store, String name, String description, ToLongFunction<EngineStats> value) {
        Gauge.builder(name, store, models -> sum(models, value))
                .description(description)
                .register(registry);
    }

    private static long sum(ModelStore store, ToLongFunction<EngineStats> value) {
        long sum = 0;
        for (ServedModel model : store.loaded()) {
            EngineStats stats = model.stats();
            sum += stats == null ? 0 : value.applyAsLong(stats);
        }
        return sum;
    }

    AtomicInteger inFlight() {
        return inFlight;
    }

    void handled(String path, int status, long nanos) {
        Timer.builder("panallama.http.requests")
                .description("HTTP requests")
                .tag("path", path)
                .tag("status", Integer.toString(status))
                .register(registry)
                .record(Duration.ofNanos(nanos));
    }

    void firstToken(String model, long nanos) {
        Timer.builder("panallama.time.to.first.token")
                .description("From a request's arrival to its answer's first token")
                .tag("model", model)
                .serviceLevelObjectives(FIRST_TOKEN)
                .register(registry)
                .record(Duration.ofNanos(nanos));
    }

    void finished(String model, Result result) {
        count(
                "panallama.prompt.tokens",
                "Tokens of prompts that were computed",
                model,
                result.timings().promptTokens());
        count(
                "panallama.reused.tokens",
                "Tokens of prompts that were in the KV cache",
                model,
                result.usage().reusedTokens());
        count(
                "panallama.generated.tokens",
                "Tokens of answers",
                model,
                result.usage().generatedTokens());
        count("panallama.drafted.tokens", "Tokens guessed ahead", model, result.drafted());
        count("panallama.accepted.tokens", "Tokens guessed right", model, result.accepted());
        Timings timings = result.timings();
        if (timings.generatedTokensPerSecond() > 0) {
            DistributionSummary.builder("panallama.generation.tokens.per.second")
                    .description("Speed of answers")
                    .tag("model", model)
                    .serviceLevelObjectives(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
                    .register(registry)
                    .record(timings.generatedTokensPerSecond());
        }
    }

    private void count(String name, String description, String model, long amount) {
        Counter.builder(name)
                .description(description)
                .tag("model", model)
                .register(registry)
                .increment(amount);
    }

    /** In Prometheus' text format 0.0.4. */
    String text() {
        return registry.scrape();
    }
}
