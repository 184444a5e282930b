package org.panallama.server;

import java.net.URI;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A server that runs while the tests of a class do. */
final class ServerExtension implements BeforeAllCallback, AfterAllCallback {

    private final LlamaServer.Builder builder;
    private @Nullable LlamaServer server;

    ServerExtension(LlamaServer.Builder builder) {
        this.builder = builder;
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        server = builder.start();
    }

    @Override
    public void afterAll(ExtensionContext context) {
        if (server != null) {
            server.close();
        }
    }

    URI uri() {
        return Objects.requireNonNull(server, "the server does not run yet").uri();
    }

    /** Requests to it, once it runs. */
    Http http() {
        return new Http(this::uri);
    }
}
