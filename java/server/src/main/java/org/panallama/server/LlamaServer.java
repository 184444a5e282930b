package org.panallama.server;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.eclipse.jetty.compression.gzip.GzipCompression;
import org.eclipse.jetty.compression.server.CompressionConfig;
import org.eclipse.jetty.compression.server.CompressionHandler;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.server.handler.CrossOriginHandler;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.VirtualThreads;
import org.eclipse.jetty.util.component.Graceful;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;

/**
 * Serves GGUF models over HTTP, with the API of OpenAI (chat completions, completions, responses, embeddings, models), more of
 * llama-server's, and a web page. {@code GET /openapi.json} describes all of it.
 *
 * <pre>{@code
 * try (LlamaServer server = LlamaServer.builder(Path.of("model.gguf")).port(8080).start()) {
 *     System.out.println(server.uri());
 *     Thread.sleep(Long.MAX_VALUE);
 * }
 * }</pre>
 *
 * <p>Thread-safe.
 */
public final class LlamaServer implements AutoCloseable {

    private final Server jetty;
    private final ServerConnector connector;
    private final ModelStore store;
    private final String host;
    private final boolean tls;

    private LlamaServer(Builder builder) {
        store = builder.store();
        host = builder.host;
        tls = builder.keyStore != null;
        QueuedThreadPool threads = new QueuedThreadPool(builder.concurrency + 64);
        threads.setName("panallama-http");
        threads.setDaemon(true);
        if (VirtualThreads.areSupported()) {
            threads.setVirtualThreadsExecutor(VirtualThreads.getDefaultVirtualThreadsExecutor());
        }
        jetty = new Server(threads);
        connector = builder.connector(jetty);
        jetty.addConnector(connector);
        jetty.addBean(new NetworkConnectionLimit(builder.connections, connector));
        jetty.setErrorHandler(new ErrorResponses());
        ServerMetrics metrics = new ServerMetrics(store);
        ApiHandler api = new ApiHandler(
                new Service(store, metrics, builder.deadline),
                new ApiKeys(builder.keys),
                builder.concurrency,
                builder.maxBody);
        jetty.setHandler(new GracefulHandler(
                builder.crossOrigin(compressed(new Handler.Sequence(api, new PageHandler(), new NotFoundHandler())))));
    }

    private static Handler compressed(Handler handler) {
        CompressionHandler compression = new CompressionHandler(handler);
        GzipCompression gzip = new GzipCompression();
        gzip.setMinCompressSize(1024);
        compression.putCompression(gzip);
        // Events have to go out as they come.
        compression.putConfiguration(
                "/*",
                CompressionConfig.builder()
                        .defaults()
                        .compressExcludeMimeType("text/event-stream")
                        .build());
        return compression;
    }

    /** A builder of a server of one model, which answers whatever model a request names. */
    public static Builder builder(Path model) {
        return new Builder(Objects.requireNonNull(model, "model"), 1, false);
    }

    /**
     * A builder of a server of the GGUF files in a folder. The name of a model is that of its file without {@code .gguf}; it is
     * loaded when a request names it.
     *
     * @param most models that may be in memory at once, 1 or more; for another one, that which was used the longest ago goes
     */
    public static Builder ofFolder(Path folder, int most) {
        if (most < 1) {
            throw new IllegalArgumentException("most is " + most + ", must be 1 or more");
        }
        return new Builder(Objects.requireNonNull(folder, "folder"), most, true);
    }

    /** Where it is reached. */
    public URI uri() {
        String name = host.equals("0.0.0.0") || host.equals("::") ? "localhost" : host;
        return URI.create((tls ? "https://" : "http://") + (name.contains(":") ? "[" + name + "]" : name) + ":"
                + connector.getLocalPort());
    }

    /**
     * Takes no more requests, lets those being answered come to their end, and closes the server. What is not done in time is
     * cancelled.
     *
     * @return whether all came to their end
     */
    public boolean drain(Duration time) throws InterruptedException {
        boolean done;
        try {
            Graceful.shutdown(jetty).get(Math.max(1, time.toMillis()), TimeUnit.MILLISECONDS);
            done = true;
        } catch (TimeoutException e) {
            done = false;
        } catch (ExecutionException e) {
            throw new IllegalStateException("The HTTP server did not drain: " + e.getCause(), e);
        }
        close();
        return done;
    }

    /** Cancels all requests, and frees the models. */
    @Override
    public void close() {
        store.close();
        try {
            jetty.stop();
        } catch (Exception e) {
            throw new IllegalStateException("The HTTP server did not stop: " + e.getMessage(), e);
        }
    }

    @Override
    public String toString() {
        return "server at " + uri();
    }

    /** Collects what a server needs; each value is checked when it is set. Not thread-safe. */
    public static final class Builder {

        private static final int MAX_BODY = 1 << 30;

        private final Path path;
        private final int most;
        private final boolean folder;
        private ModelSettings settings = ModelSettings.defaults();
        private String host = "127.0.0.1";
        private int port;
        private List<String> keys = List.of();
        private final List<String> origins = new ArrayList<>();
        private int concurrency = 256;
        private int connections = 4096;
        private int maxBody = 16 << 20;
        private @Nullable Duration deadline;
        private @Nullable KeyStore keyStore;
        private String keyPassword = "";

        private Builder(Path path, int most, boolean folder) {
            this.path = path;
            this.most = most;
            this.folder = folder;
        }

        /** How models are opened. */
        public Builder settings(ModelSettings value) {
            settings = Objects.requireNonNull(value, "value");
            return this;
        }

        /** The address to listen on: {@code 127.0.0.1} by default, for this machine alone; {@code 0.0.0.0} for all. */
        public Builder host(String address) {
            host = Objects.requireNonNull(address, "address");
            return this;
        }

        /** The port, 0 to 65535; 0, the default, for any that is free. */
        public Builder port(int number) {
            port = ModelSettings.inRange("port", number, 0, 65_535);
            return this;
        }

        /** The keys of which a request must have one; none by default, which lets everybody in. */
        public Builder apiKeys(List<String> values) {
            if (values.stream().anyMatch(String::isBlank)) {
                throw new IllegalArgumentException("an API key is empty");
            }
            keys = List.copyOf(values);
            return this;
        }

        /**
         * Lets pages of another origin use the server; may be called again for more. By default only the server's own page may.
         *
         * @param origin {@code https://example.org} for example, or {@code *} for all
         */
        public Builder allowOrigin(String origin) {
            if (!origin.equals("*") && !origin.matches("https?://[^/]+")) {
                throw new IllegalArgumentException(
                        "origin is '" + origin + "', must be like https://example.org or http://localhost:3000, or *");
            }
            origins.add(origin);
            return this;
        }

        /** Requests that are handled at once, those in queues included, 1 or more; 256 by default. Others get status 429. */
        public Builder concurrency(int requests) {
            concurrency = ModelSettings.inRange("concurrency", requests, 1, 100_000);
            return this;
        }

        /** Connections that may be open at once, 1 or more; 4096 by default. */
        public Builder connections(int most) {
            connections = ModelSettings.inRange("connections", most, 1, 1_000_000);
            return this;
        }

        /** The longest body of a request in bytes, 1 to 2^30; 16 MiB by default. */
        public Builder maxBody(int bytes) {
            maxBody = ModelSettings.inRange("maxBody", bytes, 1, MAX_BODY);
            return this;
        }

        /** The longest that a request may take, waiting included; no limit by default. */
        public Builder deadline(Duration time) {
            if (time.isNegative() || time.isZero()) {
                throw new IllegalArgumentException("deadline is " + time + ", must be longer than nothing");
            }
            deadline = time;
            return this;
        }

        /**
         * Serves HTTPS, with files in PEM.
         *
         * @param certificate the server's certificate and those that it was signed with
         * @param key the private key in PKCS 8, not encrypted
         * @throws IllegalArgumentException if they cannot be read
         */
        public Builder tls(Path certificate, Path key) {
            keyStore = TlsFiles.pem(certificate, key);
            keyPassword = "";
            return this;
        }

        /**
         * Serves HTTPS, with the certificate and key of a PKCS 12 file.
         *
         * @throws IllegalArgumentException if it cannot be read
         */
        public Builder tls(Path pkcs12, String password) {
            keyStore = TlsFiles.pkcs12(pkcs12, password.toCharArray());
            keyPassword = password;
            return this;
        }

        /**
         * The server, listening. A single model is loaded by then.
         *
         * @throws org.panallama.ModelLoadException if the single model cannot be loaded
         * @throws UncheckedIOException if the port is taken, or the address is not this machine's
         */
        public LlamaServer start() {
            LlamaServer server = new LlamaServer(this);
            try {
                if (!folder) {
                    server.store.take(null).close();
                }
                server.jetty.start();
                return server;
            } catch (IOException e) {
                server.close();
                throw new UncheckedIOException(
                        new IOException("Cannot listen on " + host + " port " + port + ": " + e.getMessage(), e));
            } catch (RuntimeException e) {
                server.close();
                throw e;
            } catch (Exception e) {
                server.close();
                throw new IllegalStateException("The HTTP server did not start: " + e.getMessage(), e);
            }
        }

        private ModelStore store() {
            return folder
                    ? ModelStore.ofFolder(path, settings, most)
                    : ModelStore.of(ModelStore.name(path), path, settings);
        }

        private ServerConnector connector(Server server) {
            HttpConfiguration http = new HttpConfiguration();
            http.setSendServerVersion(false);
            http.setIdleTimeout(30_000);
            ServerConnector made;
            if (keyStore == null) {
                made = new ServerConnector(server, new HttpConnectionFactory(http));
            } else {
                http.addCustomizer(new SecureRequestCustomizer(false));
                SslContextFactory.Server context = new SslContextFactory.Server();
                context.setKeyStore(keyStore);
                context.setKeyStorePassword(keyPassword);
                context.setKeyManagerPassword(keyPassword);
                made = new ServerConnector(
                        server, new SslConnectionFactory(context, "http/1.1"), new HttpConnectionFactory(http));
            }
            made.setHost(host);
            made.setPort(port);
            made.setIdleTimeout(30_000);
            return made;
        }

        private Handler crossOrigin(Handler handler) {
            if (origins.isEmpty()) {
                return handler;
            }
            CrossOriginHandler allowing = new CrossOriginHandler();
            // The patterns are regular expressions.
            allowing.setAllowedOriginPatterns(
                    origins.contains("*")
                            ? Set.of("*")
                            : Set.copyOf(origins.stream().map(Pattern::quote).toList()));
            allowing.setAllowedMethods(Set.of("GET", "POST"));
            allowing.setAllowedHeaders(Set.of("*", "Authorization")); // browsers do not take the star for that one
            allowing.setHandler(handler);
            return allowing;
        }
    }
}
