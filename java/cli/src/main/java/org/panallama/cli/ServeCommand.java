package org.panallama.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.panallama.server.LlamaServer;
import org.panallama.server.ModelSettings;
import org.panallama.tiny.TinyModel;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Serves models over HTTP. */
@Command(
        name = "serve",
        customSynopsis = "panallama serve [-m FILE | --models DIR] [OPTIONS]",
        description =
                "Serves models over HTTP: OpenAI's API, and a web page to chat with. Prints where, once it is ready;"
                        + " ends on Ctrl-C or SIGTERM, when the answers under way are done.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama serve -m chinese-mixtral-instruct.Q4_K.gguf",
            "  panallama serve --models ~/models --max-models 2 --host 0.0.0.0 --api-key-file keys.txt",
            "  curl http://localhost:8080/v1/chat/completions -d '{\"messages\":[{\"role\":\"user\",\"content\":\"你好\"}]}'"
        })
final class ServeCommand implements Callable<Integer> {

    private static final String KEY_VARIABLE = "PANALLAMA_API_KEY";

    private final Streams streams;

    @ArgGroup
    private Source source = new Source();

    @Option(
            names = "--max-models",
            paramLabel = "N",
            description = "With --models: how many may be in memory at once; for another one, the one that was used the"
                    + " longest ago goes (default: 1).")
    private @Nullable Integer maxModels;

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description = "Address to listen on; 0.0.0.0 for all of this machine's (default: ${DEFAULT-VALUE}, which"
                    + " other machines do not reach).")
    private String host;

    @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "8080",
            description = "Port to listen on; 0 for any that is free (default: ${DEFAULT-VALUE}).")
    private int port;

    @Mixin
    private ServedModelArguments model;

    @Option(
            names = "--api-key-file",
            paramLabel = "FILE",
            description =
                    "File with a key in each line, one of which every request must have. The environment variable "
                            + KEY_VARIABLE + " can hold one, too.")
    private @Nullable Path keyFile;

    @Option(
            names = "--cors",
            paramLabel = "ORIGIN",
            description = "Let pages of this origin use the server, https://example.org for example; * for all. May be"
                    + " repeated.")
    private List<String> origins = new ArrayList<>();

    @ArgGroup(exclusive = false)
    private @Nullable Pem pem;

    @Option(
            names = "--tls-pkcs12",
            paramLabel = "FILE",
            description = "Serve HTTPS with the certificate and key in this file; the environment variable"
                    + " PANALLAMA_TLS_PASSWORD holds its password.")
    private @Nullable Path pkcs12;

    @Option(
            names = "--max-requests",
            paramLabel = "N",
            defaultValue = "256",
            description = "Requests that are handled at once, waiting ones included (default: ${DEFAULT-VALUE}).")
    private int maxRequests;

    @Option(
            names = "--max-body",
            paramLabel = "BYTES",
            defaultValue = "16777216",
            description = "Longest body of a request (default: ${DEFAULT-VALUE}).")
    private int maxBody;

    @Option(
            names = "--deadline",
            paramLabel = "SECONDS",
            description = "Longest time that a request may take, waiting included (default: no limit).")
    private @Nullable Integer deadline;

    @Option(
            names = "--drain",
            paramLabel = "SECONDS",
            defaultValue = "30",
            description = "How long answers under way may go on at the end (default: ${DEFAULT-VALUE}).")
    private int drain;

    @Mixin(name = "common")
    private CommonOptions common;

    ServeCommand(Streams streams) {
        this.streams = streams;
    }

    /** Where models come from. */
    static final class Source {

        @Option(
                names = {"-m", "--model"},
                paramLabel = "FILE",
                description =
                        "GGUF file; of a split model, the first part. Without it, the tiny model that comes with the"
                                + " program.")
        private @Nullable Path file;

        @Option(
                names = "--models",
                paramLabel = "DIR",
                description =
                        "Folder of GGUF files, each loaded when a request names it: the name is the file's without"
                                + " .gguf.")
        private @Nullable Path folder;
    }

    /** A certificate and its key, which make no sense without each other. */
    static final class Pem {

        @Option(
                names = "--tls-cert",
                required = true,
                paramLabel = "FILE",
                description = "Serve HTTPS with this certificate in PEM, followed by those that it was signed with.")
        private Path certificate;

        @Option(
                names = "--tls-key",
                required = true,
                paramLabel = "FILE",
                description = "Its key in PEM (PKCS 8, not encrypted).")
        private Path key;
    }

    @Override
    public Integer call() throws Exception {
        try (Interruption interruption = new Interruption(streams.signals(), drain + 10)) {
            LlamaServer.Builder builder = builder(
                    model.settings(streams.err(), streams.in(), interruption).build());
            try (LlamaServer server = builder.start()) {
                CountDownLatch end = new CountDownLatch(1);
                interruption.cancels(end::countDown);
                streams.err().println("panallama: serving at " + server.uri());
                end.await();
                streams.err().println("panallama: finishing the answers under way");
                boolean done = server.drain(Duration.ofSeconds(drain));
                if (done) {
                    interruption.heeded();
                }
                return done ? 0 : 1;
            }
        }
    }

    private LlamaServer.Builder builder(ModelSettings settings) throws Exception {
        LlamaServer.Builder builder;
        if (source.folder == null) {
            if (maxModels != null) {
                throw new IllegalArgumentException("--max-models is for --models");
            }
            builder = LlamaServer.builder(source.file == null ? TinyModel.path() : source.file);
        } else {
            if (!Files.isDirectory(source.folder)) {
                throw new IllegalArgumentException("--models: " + source.folder + " is not a folder");
            }
            builder = LlamaServer.ofFolder(source.folder, maxModels == null ? 1 : maxModels);
        }
        builder.settings(settings)
                .host(host)
                .port(port)
                .apiKeys(keys())
                .concurrency(maxRequests)
                .maxBody(maxBody);
        origins.forEach(builder::allowOrigin);
        if (deadline != null) {
            builder.deadline(Duration.ofSeconds(deadline));
        }
        if (pem != null && pkcs12 != null) {
            throw new IllegalArgumentException("--tls-cert and --tls-pkcs12 cannot both be given");
        }
        if (pem != null) {
            builder.tls(pem.certificate, pem.key);
        }
        if (pkcs12 != null) {
            String password = System.getenv("PANALLAMA_TLS_PASSWORD");
            builder.tls(pkcs12, password == null ? "" : password);
        }
        return builder;
    }

    private List<String> keys() {
        List<String> keys = new ArrayList<>();
        String variable = System.getenv(KEY_VARIABLE);
        if (variable != null && !variable.isBlank()) {
            keys.add(variable.strip());
        }
        if (keyFile != null) {
            List<String> lines = TextFile.read(keyFile.toString(), streams.in())
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .toList();
            if (lines.isEmpty()) {
                throw new IllegalArgumentException("--api-key-file " + keyFile + ": there is no key in it");
            }
            keys.addAll(lines);
        }
        return keys;
    }
}
