package org.panallama.tools.safetensors;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The tensors of a safetensors file, or of a checkpoint in many. Only headers are read at first; data are mapped into
 * memory, of any size, and come from the disk when they are used. Nothing needs closing: a mapping goes when nothing refers
 * to it any more. Immutable, for any number of threads.
 *
 * <pre>{@code
 * Safetensors checkpoint = Safetensors.open(Path.of("Mixtral-8x7B-v0.1"));
 * float[] norm = checkpoint.require("model.norm.weight").floats();
 * }</pre>
 */
public final class Safetensors {

    /** The name of a checkpoint's file when it is only one. */
    public static final String SINGLE_FILE = "model.safetensors";

    private final Path location;
    private final Map<String, SafetensorsTensor> tensors;
    private final Map<String, String> metadata;

    private Safetensors(Path location, Map<String, SafetensorsTensor> tensors, Map<String, String> metadata) {
        this.location = location;
        this.tensors = Collections.unmodifiableMap(tensors);
        this.metadata = Collections.unmodifiableMap(metadata);
    }

    /**
     * Opens a file, or a folder with {@code model.safetensors.index.json} and its shards or with {@code model.safetensors}.
     *
     * @throws SafetensorsException if files are missing or damaged: the message says which and where
     */
    public static Safetensors open(Path path) {
        if (!Files.exists(path)) {
            throw new SafetensorsException(path, "does not exist");
        }
        if (!Files.isDirectory(path)) {
            return path.toString().endsWith(".index.json") ? sharded(path) : single(path);
        }
        if (Files.exists(path.resolve(SafetensorsIndex.FILE_NAME))) {
            return sharded(path.resolve(SafetensorsIndex.FILE_NAME));
        }
        if (Files.exists(path.resolve(SINGLE_FILE))) {
            return single(path.resolve(SINGLE_FILE));
        }
        throw new SafetensorsException(
                path, "has neither " + SafetensorsIndex.FILE_NAME + " nor " + SINGLE_FILE + others(path));
    }

    private static Safetensors single(Path file) {
        Map<String, String> metadata = new LinkedHashMap<>();
        return new Safetensors(file, SafetensorsFile.tensors(file, metadata), metadata);
    }

    private static Safetensors sharded(Path indexFile) {
        Map<String, String> shards = SafetensorsIndex.read(indexFile).shards();
        Path folder = indexFile.toAbsolutePath().getParent();
        List<String> absent = new TreeSet<>(shards.values())
                .stream().filter(name -> !Files.exists(folder.resolve(name))).toList();
        if (!absent.isEmpty()) {
            throw new SafetensorsException(indexFile, "names files that are missing: " + String.join(", ", absent));
        }
        Map<String, SafetensorsTensor> tensors = new LinkedHashMap<>();
        Map<String, String> metadata = new TreeMap<>();
        for (String shard : new TreeSet<>(shards.values())) {
            SafetensorsFile.tensors(folder.resolve(shard), metadata).forEach((name, tensor) -> {
                if (shard.equals(shards.get(name))) {
                    tensors.put(name, tensor);
                }
            });
        }
        List<String> lost = shards.keySet().stream()
                .filter(name -> !tensors.containsKey(name))
                .toList();
        if (!lost.isEmpty()) {
            String name = lost.get(0);
            throw new SafetensorsException(
                    indexFile,
                    "places " + lost.size() + " tensors in files that do not have them, for instance '" + name + "' in "
                            + shards.get(name));
        }
        return new Safetensors(indexFile, tensors, metadata);
    }

    /** What a folder without safetensors has instead. */
    private static String others(Path folder) {
        List<String> weights = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".safetensors") || name.endsWith(".bin") || name.endsWith(".pth"))
                    .sorted()
                    .forEach(weights::add);
        } catch (IOException e) {
            return " (and cannot be listed: " + e + ")";
        }
        if (weights.isEmpty()) {
            return "";
        }
        return "; it has " + String.join(", ", weights)
                + (weights.stream().noneMatch(name -> name.endsWith(".safetensors"))
                        ? ": save it again from PyTorch with safe_serialization=True"
                        : "");
    }

    /** The tensors by name: file by file, in the order of their data. */
    public Map<String, SafetensorsTensor> tensors() {
        return tensors;
    }

    /** A tensor, or null if there is none of that name. */
    public @Nullable SafetensorsTensor find(String name) {
        return tensors.get(name);
    }

    /**
     * A tensor that must be there.
     *
     * @throws SafetensorsException if it is not
     */
    public SafetensorsTensor require(String name) {
        SafetensorsTensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new SafetensorsException(location, "has no tensor '" + name + "'");
        }
        return tensor;
    }

    /** The files' own metadata, usually {@code format} alone. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** The file, or the index of several. */
    public Path location() {
        return location;
    }

    /** The files that hold the tensors, in the order of their names. */
    public List<Path> files() {
        return tensors.values().stream()
                .map(SafetensorsTensor::file)
                .distinct()
                .sorted()
                .toList();
    }

    /** Bytes of all tensors. */
    public long bytes() {
        return tensors.values().stream().mapToLong(SafetensorsTensor::bytes).sum();
    }
}
