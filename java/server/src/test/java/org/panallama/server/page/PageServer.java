package org.panallama.server.page;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import org.panallama.server.LlamaServer;
import org.panallama.server.ModelSettings;
import org.panallama.tiny.TinyModel;

/** The embedded model behind a server, under two names and with an adapter that is off unless a request asks for it. */
final class PageServer implements AutoCloseable {

    static final String MODEL = "llama-a";
    static final String OTHER_MODEL = "llama-b";
    static final String ADAPTER = "noise";

    private final LlamaServer server;

    PageServer() {
        try {
            Path folder = Files.createDirectories(Path.of("target", "page-models"));
            for (String name : new String[] {MODEL, OTHER_MODEL}) {
                Path link = folder.resolve(name + ".gguf");
                Files.deleteIfExists(link);
                Files.createSymbolicLink(link, TinyModel.path());
            }
            Path adapter = folder.resolveSibling(ADAPTER + ".gguf");
            NoiseAdapter.write(adapter);
            server = LlamaServer.ofFolder(folder, 2)
                    .settings(ModelSettings.builder()
                            .threads(1)
                            .parallel(2)
                            .length(4096)
                            .lora(adapter, 0)
                            .build())
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    URI address() {
        return server.uri();
    }

    @Override
    public void close() {
        server.close();
    }
}
