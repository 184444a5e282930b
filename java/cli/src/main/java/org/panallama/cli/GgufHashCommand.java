package org.panallama.cli;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.panallama.gguf.GgufHash;
import org.panallama.gguf.GgufHash.Algorithm;
import org.panallama.gguf.GgufManifest;
import org.panallama.gguf.GgufManifest.Result;
import org.panallama.gguf.GgufModel;
import org.panallama.gguf.GgufTensor;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Prints hashes of a model, or compares them with those that were printed before. */
@Command(
        name = "hash",
        customSynopsis = "panallama gguf hash FILE [OPTIONS]",
        description =
                "Prints the hash of each tensor and of all tensors together, line for line as llama.cpp's gguf-hash, and"
                        + " checks such lines. They do not depend on the metadata or on how the model is split.",
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  panallama gguf hash model.gguf",
            "  panallama gguf hash model.gguf --sha256 > model.gguf.manifest",
            "  panallama gguf hash model.gguf --check model.gguf.manifest"
        })
final class GgufHashCommand implements Callable<Integer> {

    /** Which one of a manifest's is checked, unless options say so. */
    private static final List<Algorithm> STRONGEST_FIRST =
            List.of(Algorithm.SHA256, Algorithm.SHA1, Algorithm.XXH64, Algorithm.UUID);

    private final Streams streams;

    @Parameters(paramLabel = "FILE", description = "GGUF file; of a split model, one of its files.")
    private Path path;

    @Option(names = "--xxh64", description = "XXH64, fast: against accidents, not against forgers (default).")
    private boolean xxh64;

    @Option(names = "--sha1", description = "SHA-1.")
    private boolean sha1;

    @Option(names = "--sha256", description = "SHA-256.")
    private boolean sha256;

    @Option(names = "--all", description = "XXH64, SHA-1 and SHA-256.")
    private boolean all;

    @Option(names = "--uuid", description = "A UUID (version 5) of all tensors together.")
    private boolean uuid;

    @Option(
            names = "--metadata",
            description = "Also the metadata, in a line FILE:(metadata); gguf-hash has no such line.")
    private boolean metadata;

    @Option(names = "--no-layer", description = "Leave out the single tensors.")
    private boolean noLayer;

    @ArgGroup
    private @Nullable Form form;

    @Mixin(name = "common")
    private CommonOptions common;

    /** What becomes of the hashes. */
    private static final class Form {

        @Option(
                names = {"-c", "--check"},
                paramLabel = "MANIFEST",
                description =
                        "Compare with the lines of a file, by the strongest hash that it has unless others are asked"
                                + " for; exit status 1 where they differ.")
        private @Nullable Path manifest;

        @Option(names = "--json", description = "Print one JSON object.")
        private boolean json;
    }

    GgufHashCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        GgufModel model = GgufModel.open(path);
        if (form != null && form.manifest != null) {
            return check(model, form.manifest);
        }
        Set<Algorithm> algorithms = asked();
        if (algorithms.isEmpty()) {
            algorithms.add(Algorithm.XXH64);
        }
        Map<Algorithm, GgufHash> hashes = hashes(model, algorithms);
        if (form != null) {
            streams.out().json(writer -> write(writer, hashes));
            return ExitCode.OK;
        }
        forEachHash(model, hashes, (algorithm, tensor, hash) -> streams.out().line(line(algorithm, tensor, hash)));
        streams.out().flush();
        return ExitCode.OK;
    }

    private Set<Algorithm> asked() {
        Set<Algorithm> algorithms = EnumSet.noneOf(Algorithm.class);
        Map.of(
                        Algorithm.XXH64, xxh64 || all,
                        Algorithm.SHA1, sha1 || all,
                        Algorithm.SHA256, sha256 || all,
                        Algorithm.UUID, uuid)
                .forEach((algorithm, asked) -> {
                    if (asked) {
                        algorithms.add(algorithm);
                    }
                });
        return algorithms;
    }

    private Map<Algorithm, GgufHash> hashes(GgufModel model, Set<Algorithm> algorithms) throws IOException {
        return LongWork.run(streams, "hashing", progress -> GgufHash.of(model, algorithms, progress));
    }

    private int check(GgufModel model, Path file) throws IOException {
        GgufManifest manifest = GgufManifest.read(file, path);
        Set<Algorithm> algorithms = asked();
        if (algorithms.isEmpty()) {
            algorithms.add(STRONGEST_FIRST.stream()
                    .filter(manifest.algorithms()::contains)
                    .findFirst()
                    .orElseThrow());
        } else if (algorithms.stream().noneMatch(manifest.algorithms()::contains)) {
            throw new IOException(file + " has no " + labels(algorithms, " or ") + " of " + path + ", only "
                    + labels(manifest.algorithms(), " and "));
        }
        streams.out().line("manifest  " + file + "  " + labels(manifest.algorithms(), "  "));
        streams.out().flush();
        Map<Algorithm, GgufHash> hashes = hashes(model, algorithms);
        Verdict verdict = new Verdict();
        forEachHash(model, hashes, (algorithm, tensor, hash) -> {
            Result result = manifest.check(algorithm, tensor, hash);
            verdict.add(result);
            streams.out().line(line(algorithm, tensor, hash) + "  -  " + text(result));
        });
        streams.out().line("\nVerification results for " + file + " - " + verdict);
        streams.out().flush();
        return verdict.isSuccess() ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    /** What all lines together say: hashes that were not written down are no failure, unless there are no others. */
    private static final class Verdict {

        private boolean found;
        private boolean mismatch;

        void add(Result result) {
            found |= result != Result.NOT_FOUND;
            mismatch |= result == Result.MISMATCH;
        }

        boolean isSuccess() {
            return found && !mismatch;
        }

        @Override
        public String toString() {
            return mismatch ? "Failure" : found ? "Success" : "Manifest Missing Entry";
        }
    }

    private static String text(Result result) {
        return switch (result) {
            case OK -> "Ok";
            case MISMATCH -> "Mismatch";
            case NOT_FOUND -> "Not Found";
        };
    }

    private static String labels(Set<Algorithm> algorithms, String separator) {
        return STRONGEST_FIRST.stream()
                .filter(algorithms::contains)
                .map(Algorithm::label)
                .collect(Collectors.joining(separator));
    }

    /** Gets a hash of a tensor as it is printed, of the whole model (the tensor is null) or of the metadata. */
    @FunctionalInterface
    private interface HashConsumer {
        void accept(Algorithm algorithm, @Nullable String tensor, String hash);
    }

    private void forEachHash(GgufModel model, Map<Algorithm, GgufHash> hashes, HashConsumer consumer) {
        for (GgufTensor tensor : noLayer ? List.<GgufTensor>of() : model.tensors()) {
            hashes.forEach((algorithm, hash) -> {
                String one = hash.tensors().get(tensor.name());
                if (one != null) {
                    consumer.accept(algorithm, Printable.escaped(tensor.name()), one);
                }
            });
        }
        hashes.forEach((algorithm, hash) -> consumer.accept(algorithm, null, hash.data()));
        if (metadata) {
            hashes.forEach((algorithm, hash) -> consumer.accept(algorithm, "(metadata)", hash.metadata()));
        }
    }

    private String line(Algorithm algorithm, @Nullable String tensor, String hash) {
        String name = tensor == null ? path.toString() : path + ":" + tensor;
        return String.format(Locale.ROOT, "%-8s  %s  %s", algorithm.label(), hash, name);
    }

    private void write(JsonWriter writer, Map<Algorithm, GgufHash> hashes) throws IOException {
        writer.beginObject();
        for (Map.Entry<Algorithm, GgufHash> entry : hashes.entrySet()) {
            GgufHash hash = entry.getValue();
            writer.name(entry.getKey().label()).beginObject();
            writer.name("data").value(hash.data());
            writer.name("metadata").value(hash.metadata());
            if (!noLayer && !hash.tensors().isEmpty()) {
                writer.name("tensors").beginObject();
                for (Map.Entry<String, String> tensor : hash.tensors().entrySet()) {
                    writer.name(tensor.getKey()).value(tensor.getValue());
                }
                writer.endObject();
            }
            writer.endObject();
        }
        writer.endObject();
    }
}
